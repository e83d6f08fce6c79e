import type { Namespaces } from '../protocol/xml/xpath.ts';

/** A policy document as plain data: what the XML says, its structure checked, nothing evaluated. Lines count from 1. */
export type PolicyTree = PolicySyntax | PolicySetSyntax;

export type Effect = 'Permit' | 'Deny';

interface PolicyPart {
  readonly id: string;
  readonly version: string;
  readonly line: number;
  readonly description: string | undefined;
  readonly target: TargetSyntax;
  readonly combining: string;
  readonly obligations: readonly NoticeSyntax[];
  readonly advice: readonly NoticeSyntax[];
}

export interface PolicySyntax extends PolicyPart {
  readonly kind: 'policy';
  readonly variables: readonly VariableSyntax[];
  readonly rules: readonly RuleSyntax[];
}

export interface PolicySetSyntax extends PolicyPart {
  readonly kind: 'policySet';
  readonly children: readonly (PolicyTree | ReferenceSyntax)[];
}

/** `PolicyIdReference` or `PolicySetIdReference` (section 5.11), with its version patterns. */
export interface ReferenceSyntax {
  readonly kind: 'policyReference' | 'policySetReference';
  readonly id: string;
  readonly line: number;
  readonly version: string | undefined;
  readonly earliest: string | undefined;
  readonly latest: string | undefined;
}

export interface RuleSyntax {
  readonly id: string;
  readonly effect: Effect;
  readonly line: number;
  readonly description: string | undefined;
  readonly target: TargetSyntax;
  readonly condition: ExpressionSyntax | undefined;
  readonly obligations: readonly NoticeSyntax[];
  readonly advice: readonly NoticeSyntax[];
}

/** All must match: AnyOf, of which one AllOf must, of which every Match must. Empty matches everything. */
export type TargetSyntax = readonly (readonly (readonly MatchSyntax[])[])[];

export interface MatchSyntax {
  readonly function: string;
  readonly line: number;
  readonly value: ValueSyntax;
  readonly attribute: DesignatorSyntax | SelectorSyntax;
}

export interface VariableSyntax {
  readonly id: string;
  readonly line: number;
  readonly expression: ExpressionSyntax;
}

/** An obligation or advice expression. */
export interface NoticeSyntax {
  readonly id: string;
  readonly on: Effect;
  readonly line: number;
  readonly assignments: readonly AssignmentSyntax[];
}

export interface AssignmentSyntax {
  readonly attributeId: string;
  readonly category: string | undefined;
  readonly issuer: string | undefined;
  readonly line: number;
  readonly expression: ExpressionSyntax;
}

export type ExpressionSyntax =
  | ValueSyntax
  | DesignatorSyntax
  | SelectorSyntax
  | { readonly kind: 'variable'; readonly id: string; readonly line: number }
  | { readonly kind: 'function'; readonly id: string; readonly line: number }
  | ApplySyntax;

export interface ApplySyntax {
  readonly kind: 'apply';
  readonly function: string;
  readonly line: number;
  readonly args: readonly ExpressionSyntax[];
}

export interface ValueSyntax {
  readonly kind: 'value';
  readonly line: number;
  readonly dataType: string;
  readonly text: string;
  /** Set on values of type xpathExpression. */
  readonly xpathCategory: string | undefined;
  readonly namespaces: Namespaces;
}

export interface DesignatorSyntax {
  readonly kind: 'designator';
  readonly line: number;
  readonly category: string;
  readonly attributeId: string;
  readonly dataType: string;
  readonly issuer: string | undefined;
  readonly mustBePresent: boolean;
}

export interface SelectorSyntax {
  readonly kind: 'selector';
  readonly line: number;
  readonly category: string;
  readonly contextSelectorId: string | undefined;
  readonly path: string;
  readonly dataType: string;
  readonly mustBePresent: boolean;
  readonly namespaces: Namespaces;
}
