import { checkXPath } from '../protocol/xml/xpath.ts';
import { type DataType, findDataType, types, type XPathValue } from './datatypes/table.ts';
import { type Evaluation, failMissing, isClockAttribute, openContent, payForXPath, readClock } from './evaluation.ts';
import { Failure, failProcessing, outOfSteps, Refusal } from './failure.ts';
import { bindRegex } from './functions/match.ts';
import { type Argument, bagOf, describeType, mismatch, one, type ValueType } from './functions/signature.ts';
import { findFunction } from './functions/table.ts';
import type { ApplySyntax, DesignatorSyntax, ExpressionSyntax, SelectorSyntax, ValueSyntax } from './policy.ts';
import type { RequestView } from './request.ts';

/** An expression ready to be evaluated; `syntax` and `parts` let a trace say what it was made of. */
export interface CompiledExpression extends Argument {
  readonly syntax: ExpressionSyntax;
  readonly parts: readonly CompiledExpression[];
}

/** Finds the variables of the policy being compiled. Throws `Refusal` for an unknown or circular one. */
export type VariableScope = (
  id: string,
  line: number,
) => { readonly slot: number; readonly expression: CompiledExpression };

/** Checks types and compiles. Throws `Refusal` for whatever could only ever fail. */
export function compileExpression(syntax: ExpressionSyntax, scope: VariableScope): CompiledExpression {
  switch (syntax.kind) {
    case 'value':
      return compileValue(syntax);
    case 'designator':
      return compileDesignator(syntax);
    case 'selector':
      return compileSelector(syntax);
    case 'variable':
      return compileVariable(syntax, scope);
    case 'function':
      throw new Refusal(syntax.line, 'a <Function> may stand only as the first argument of a higher-order function');
    case 'apply':
      return compileApply(syntax, scope);
  }
}

function requireDataType(id: string, line: number): DataType {
  const type = findDataType(id);
  if (type === undefined) throw new Refusal(line, `the data type ${id} is not known`);
  return type;
}

export function compileValue(syntax: ValueSyntax): CompiledExpression {
  const type = requireDataType(syntax.dataType, syntax.line);
  const value = type === types.xpathExpression ? readXPath(syntax) : type.parse(syntax.text);
  if (value === undefined) throw new Refusal(syntax.line, `"${syntax.text.slice(0, 80)}" is no ${type.name}`);
  return { type: one(type), evaluate: () => value, literal: value, syntax, parts: [] };
}

export function readXPath(syntax: ValueSyntax): XPathValue {
  if (syntax.xpathCategory === undefined)
    throw new Refusal(syntax.line, 'a value of type xpathExpression needs an XPathCategory');
  const path = syntax.text.trim();
  const wrong = checkXPath(path, syntax.namespaces);
  if (wrong !== undefined) throw new Refusal(syntax.line, wrong);
  return { path, namespaces: syntax.namespaces, category: syntax.xpathCategory };
}

function lookUp(view: RequestView, { category, attributeId, issuer }: DesignatorSyntax, type: DataType): unknown[] {
  const bag: unknown[] = [];
  const attributes = view.get(category)?.attributes.get(attributeId);
  if (attributes === undefined) return bag;
  for (let i = 0; i < attributes.length; i++) {
    const attribute = attributes[i]!;
    if (issuer !== undefined && attribute.issuer !== issuer) continue;
    for (let j = 0; j < attribute.values.length; j++) {
      const entry = attribute.values[j]!;
      if (entry.type === type) bag.push(entry.value);
    }
  }
  return bag;
}

/** Section 7.3.5: the bag of the attribute's values; the clock's attributes are given by the PDP when absent. */
export function compileDesignator(syntax: DesignatorSyntax): CompiledExpression {
  const { category, attributeId, dataType, issuer, mustBePresent } = syntax;
  const type = requireDataType(dataType, syntax.line);
  const isClock = isClockAttribute(category, attributeId);
  const missing = failMissing({ category, attributeId, dataType: type.id, issuer });
  const evaluate = (evaluation: Evaluation): unknown[] | Failure => {
    if (--evaluation.steps < 0) return outOfSteps;
    let bag = lookUp(evaluation.request, syntax, type);
    if (bag.length === 0 && evaluation.supplied !== undefined) bag = lookUp(evaluation.supplied, syntax, type);
    if (isClock) {
      evaluation.readsClock = true;
      const value = bag.length === 0 && issuer === undefined ? readClock(evaluation, attributeId, type.id) : undefined;
      if (value !== undefined) bag.push(value);
    }
    evaluation.steps -= bag.length >> 3;
    return bag.length === 0 && mustBePresent ? missing : bag;
  };
  return { type: bagOf(type), evaluate, literal: undefined, syntax, parts: [] };
}

/** Section 7.3.7, with XPath 1.0. */
function compileSelector(syntax: SelectorSyntax): CompiledExpression {
  const { category, path, namespaces, contextSelectorId, mustBePresent } = syntax;
  const type = requireDataType(syntax.dataType, syntax.line);
  const wrong = checkXPath(path, namespaces);
  if (wrong !== undefined) throw new Refusal(syntax.line, wrong);
  if (type === types.xpathExpression)
    throw new Refusal(syntax.line, 'a selector cannot select values of type xpathExpression');
  const missing = failMissing({
    category,
    attributeId: contextSelectorId ?? path,
    dataType: type.id,
    issuer: undefined,
  });
  const evaluate = (evaluation: Evaluation): unknown[] | Failure => {
    if (--evaluation.steps < 0) return outOfSteps;
    const none = () => (mustBePresent ? missing : []);
    const document = openContent(evaluation, category);
    if (document instanceof Failure) return document;
    if (document === undefined) return none();
    let context: XPathValue | undefined;
    if (contextSelectorId !== undefined) {
      const attributes = evaluation.request.get(category)?.attributes.get(contextSelectorId) ?? [];
      const paths = attributes.flatMap((a) => a.values.filter((v) => v.type === types.xpathExpression));
      if (paths.length === 0) return none();
      if (paths.length > 1)
        return failProcessing(`the context selector ${contextSelectorId} has ${paths.length} values, not one`);
      context = paths[0]!.value as XPathValue;
    }
    if (!payForXPath(evaluation, document, path, ...(context === undefined ? [] : [context.path]))) return outOfSteps;
    const found = document.select(path, namespaces, context);
    if (found.kind !== 'nodes') {
      return failProcessing(found.kind === 'fault' ? found.reason : 'the XPath expression does not select nodes');
    }
    const bag: unknown[] = [];
    for (const node of found.nodes) {
      const value = type.parse(node.value);
      if (value === undefined) return failProcessing(`a selected node is no ${type.name}`);
      bag.push(value);
    }
    return bag.length === 0 ? none() : bag;
  };
  return { type: bagOf(type), evaluate, literal: undefined, syntax, parts: [] };
}

function compileVariable(syntax: ExpressionSyntax & { kind: 'variable' }, scope: VariableScope): CompiledExpression {
  const { slot, expression } = scope(syntax.id, syntax.line);
  const evaluate = (evaluation: Evaluation) => {
    evaluation.variables ??= new Map();
    const known = evaluation.variables.get(slot);
    if (known !== undefined) return known;
    const value = expression.evaluate(evaluation);
    evaluation.variables.set(slot, value);
    return value;
  };
  return { type: expression.type, evaluate, literal: expression.literal, syntax, parts: [expression] };
}

function compileApply(syntax: ApplySyntax, scope: VariableScope): CompiledExpression {
  const fn = findFunction(syntax.function);
  if (fn === undefined) throw new Refusal(syntax.line, `the function ${syntax.function} is not known`);
  if (fn.kind === 'higher-order') {
    const first = syntax.args[0];
    if (first?.kind !== 'function')
      throw new Refusal(syntax.line, `${nameOf(fn.id)} needs a <Function> as its first argument`);
    const inner = findFunction(first.id);
    if (inner === undefined) throw new Refusal(first.line, `the function ${first.id} is not known`);
    // A lazy function called with values is the plain one: nothing is left to put off.
    const called = inner.kind === 'lazy' ? asPlain(inner) : inner;
    if (called.kind !== 'plain') throw new Refusal(first.line, `${nameOf(inner.id)} cannot be passed to a function`);
    const parts = syntax.args.slice(1).map((arg) => compileExpression(arg, scope));
    const bound = fn.bind(called, parts);
    if (typeof bound === 'string') throw new Refusal(syntax.line, `${nameOf(fn.id)} ${bound}`);
    const { evaluate } = bound;
    return { type: bound.returns, evaluate: counted(evaluate), literal: undefined, syntax, parts };
  }
  const parts = syntax.args.map((arg) => compileExpression(arg, scope));
  const wrong = mismatch(fn, parts);
  if (wrong !== undefined) throw new Refusal(syntax.line, `${nameOf(fn.id)} ${wrong}`);
  if (fn.kind === 'lazy') {
    return { type: fn.returns, evaluate: counted(fn.bind(parts)), literal: undefined, syntax, parts };
  }
  const bad = fn.check?.(parts.map((part) => part.literal));
  if (bad !== undefined) throw new Refusal(syntax.line, `${nameOf(fn.id)} ${bad}`);
  const regex = bindRegex(fn, parts[0]?.literal);
  const evaluate =
    regex === undefined ? bindPlain(fn.call, parts) : bindPlain((ev, _, value) => regex(ev, value), parts);
  return { type: fn.returns, evaluate, literal: undefined, syntax, parts };
}

function counted(evaluate: (evaluation: Evaluation) => unknown): (evaluation: Evaluation) => unknown {
  return (evaluation) => (--evaluation.steps < 0 ? outOfSteps : evaluate(evaluation));
}

/** Closures by number of arguments: nearly all applies have one or two, and no array is made for those. */
function bindPlain(
  typedCall: (evaluation: Evaluation, ...values: never[]) => unknown,
  parts: readonly CompiledExpression[],
): (evaluation: Evaluation) => unknown {
  const call = typedCall as (evaluation: Evaluation, ...values: unknown[]) => unknown;
  if (parts.length === 1) {
    const first = parts[0]!.evaluate;
    return (evaluation) => {
      if (--evaluation.steps < 0) return outOfSteps;
      const a = first(evaluation);
      return a instanceof Failure ? a : call(evaluation, a);
    };
  }
  if (parts.length === 2) {
    const first = parts[0]!.evaluate;
    const second = parts[1]!.evaluate;
    return (evaluation) => {
      if (--evaluation.steps < 0) return outOfSteps;
      const a = first(evaluation);
      if (a instanceof Failure) return a;
      const b = second(evaluation);
      return b instanceof Failure ? b : call(evaluation, a, b);
    };
  }
  return (evaluation) => {
    if (--evaluation.steps < 0) return outOfSteps;
    const values: unknown[] = [];
    for (let i = 0; i < parts.length; i++) {
      const value = parts[i]!.evaluate(evaluation);
      if (value instanceof Failure) return value;
      values.push(value);
    }
    return call(evaluation, ...values);
  };
}

function asPlain(fn: Extract<ReturnType<typeof findFunction>, { kind: 'lazy' }>) {
  const call = (evaluation: Evaluation, ...values: unknown[]) =>
    fn.bind(values.map((value) => ({ type: fn.returns, evaluate: () => value, literal: value })))(evaluation);
  return { ...fn, kind: 'plain' as const, call };
}

/** The last part of an identifier: `…:function:string-equal` is `string-equal`. */
export function nameOf(id: string): string {
  return id.slice(id.lastIndexOf(':') + 1);
}

export function requireBoolean(expression: CompiledExpression, what: string): void {
  const type: ValueType = expression.type;
  if (type.bag || type.type !== types.boolean) {
    throw new Refusal(expression.syntax.line, `${what} must yield one boolean, not ${describeType(type)}`);
  }
}
