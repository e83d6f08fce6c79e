import { openXPathDocument, type XPathDocument } from '../protocol/xml/xpath.ts';
import { types } from './datatypes/table.ts';
import { clockValues, type Temporal } from './datatypes/temporal.ts';
import { Failure, failProcessing, type MissingAttribute } from './failure.ts';
import { clockAttributes, environmentCategory, statusCodes } from './identifiers.ts';
import { type RequestCategory, type RequestView, viewRequest } from './request.ts';
import type { TraceNode } from './trace-node.ts';

/** What a decision depends on beside the policies and the request. */
export interface EvaluationSettings {
  /** Milliseconds since 1970: what `current-time`, `current-date` and `current-dateTime` are when the request has none. */
  readonly now: number;
  /** Minutes east of UTC: the zone of the clock, and of every date and time written without one. */
  readonly zone: number;
  /** Attributes looked up when the request lacks them (the context handler's own, section 7.3.5). */
  readonly supplied?: readonly RequestCategory[];
  /** Keep a trace. Costs several times the decision. */
  readonly trace?: boolean;
  /** Most steps one decision may take before it is *Indeterminate*; about ten million a second. Default 1,000,000. */
  readonly maxSteps?: number;
}

export const defaultMaxSteps = 1_000_000;

/**
 * One decision being made. The policies are shared and never change; whatever an evaluation must remember is here and
 * dies with it.
 */
export interface Evaluation {
  readonly request: RequestView;
  readonly supplied: RequestView | undefined;
  readonly now: number;
  readonly zone: number;
  /** Steps left; below zero every expression fails. */
  steps: number;
  /** Some value came from the clock: the same request may be decided differently later. */
  readsClock: boolean;
  /** Variables already evaluated, by slot. */
  variables: Map<number, unknown> | undefined;
  clock: { date: Temporal; time: Temporal; dateTime: Temporal } | undefined;
  documents: Map<string, XPathDocument> | undefined;
  /** Policies that applied, in the order they ended; kept when the request asks for them. */
  applied: AppliedPolicy[] | undefined;
  /** Where trace nodes go; undefined when none is kept. */
  trace: TraceNode[] | undefined;
}

export interface AppliedPolicy {
  readonly kind: 'policy' | 'policySet';
  readonly id: string;
  readonly version: string;
}

export function beginEvaluation(
  request: RequestView,
  settings: EvaluationSettings,
  returnPolicyIds: boolean,
): Evaluation {
  return {
    request,
    supplied: settings.supplied === undefined ? undefined : viewRequest(settings.supplied),
    now: settings.now,
    zone: settings.zone,
    steps: settings.maxSteps ?? defaultMaxSteps,
    readsClock: false,
    variables: undefined,
    clock: undefined,
    documents: undefined,
    applied: returnPolicyIds ? [] : undefined,
    trace: settings.trace === true ? [] : undefined,
  };
}

/** Frees what the evaluation holds outside the heap. */
export function endEvaluation(evaluation: Evaluation): void {
  if (evaluation.documents === undefined) return;
  for (const document of evaluation.documents.values()) document.close();
  evaluation.documents = undefined;
}

export function isClockAttribute(category: string, id: string): boolean {
  return (
    category === environmentCategory &&
    (id === clockAttributes.time || id === clockAttributes.date || id === clockAttributes.dateTime)
  );
}

/** The value the PDP itself gives for a clock attribute, when the type asked for is the attribute's own. */
export function readClock(evaluation: Evaluation, id: string, dataType: string): Temporal | undefined {
  evaluation.clock ??= clockValues(evaluation.now, evaluation.zone);
  if (id === clockAttributes.time && dataType === types.time.id) return evaluation.clock.time;
  if (id === clockAttributes.date && dataType === types.date.id) return evaluation.clock.date;
  if (id === clockAttributes.dateTime && dataType === types.dateTime.id) return evaluation.clock.dateTime;
  return undefined;
}

/** The content of a category, opened for XPath on first use; undefined when the request has none there. */
export function openContent(evaluation: Evaluation, category: string): XPathDocument | Failure | undefined {
  const open = evaluation.documents?.get(category);
  if (open !== undefined) return open;
  const content = evaluation.request.get(category)?.content;
  if (content === undefined) return undefined;
  try {
    const document = openXPathDocument(content.xml, content.nodeCount);
    evaluation.documents ??= new Map();
    evaluation.documents.set(category, document);
    return document;
  } catch (error) {
    return failProcessing(`the content cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Pays for the evaluation of XPath expressions; false when there are not the steps left for it. */
export function payForXPath(evaluation: Evaluation, document: XPathDocument, ...paths: readonly string[]): boolean {
  evaluation.steps -= 100;
  for (const path of paths) evaluation.steps -= Math.ceil(document.workOf(path) / 4);
  return evaluation.steps >= 0;
}

export function failMissing(missing: MissingAttribute): Failure {
  const issuer = missing.issuer === undefined ? '' : ` issued by ${missing.issuer}`;
  return new Failure(
    statusCodes.missingAttribute,
    `the request has no attribute ${missing.attributeId}${issuer} of category ${missing.category} and type ${missing.dataType}`,
    missing,
  );
}
