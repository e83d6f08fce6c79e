import type { DataType } from './datatypes/table.ts';

export interface RequestValue {
  /** The known type, or the identifier of one this engine does not know (which no designator can ask for). */
  readonly type: DataType | string;
  /** Of a known type its value, of an unknown one its text. */
  readonly value: unknown;
}

export interface RequestAttribute {
  readonly id: string;
  readonly issuer: string | undefined;
  readonly includeInResult: boolean;
  readonly values: readonly RequestValue[];
}

/** Free XML about a category, for selectors: a document of its own, and how many nodes it has. */
export interface RequestContent {
  readonly xml: string;
  readonly nodeCount: number;
}

/** One `<Attributes>` element (section 5.44). */
export interface RequestCategory {
  readonly category: string;
  /** Its `xml:id`, by which `<MultiRequests>` refers to it. */
  readonly xmlId: string | undefined;
  readonly content: RequestContent | undefined;
  readonly attributes: readonly RequestAttribute[];
}

/** A request as plain data (section 5.42). A category that occurs twice asks for several decisions at once. */
export interface XacmlRequest {
  readonly returnPolicyIds: boolean;
  readonly combinedDecision: boolean;
  readonly categories: readonly RequestCategory[];
  /** `<MultiRequests>`: each entry lists the `xmlId`s of one decision asked for. */
  readonly references: readonly (readonly string[])[] | undefined;
}

/** A request in which each category occurs once, for lookup. What is never looked up need never be made. */
export interface RequestView {
  get(category: string): CategoryView | undefined;
}

export interface CategoryView {
  readonly attributes: { get(id: string): readonly RequestAttribute[] | undefined };
  readonly content: RequestContent | undefined;
}

export function viewRequest(categories: readonly RequestCategory[]): RequestView {
  const view = new Map<string, CategoryView>();
  for (const { category, attributes, content } of categories) {
    const byId = new Map<string, RequestAttribute[]>();
    for (const attribute of attributes) {
      const same = byId.get(attribute.id);
      if (same === undefined) byId.set(attribute.id, [attribute]);
      else same.push(attribute);
    }
    view.set(category, { attributes: byId, content });
  }
  return view;
}
