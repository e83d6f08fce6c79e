import { types, type XPathValue } from '../datatypes/table.ts';
import { type Evaluation, openContent, payForXPath } from '../evaluation.ts';
import { Failure, failProcessing, outOfSteps } from '../failure.ts';
import { one, type PlainFunction, plain } from './signature.ts';

const f3 = 'urn:oasis:names:tc:xacml:3.0:function:';
const xpath = one(types.xpathExpression);
const boolean = one(types.boolean);

function compare(evaluation: Evaluation, how: 'same' | 'within', a: XPathValue, b: XPathValue): boolean | Failure {
  const document = openContent(evaluation, a.category);
  if (document instanceof Failure) return document;
  // Nodes of two documents are never the same; without content there are none.
  if (document === undefined || a.category !== b.category) return false;
  if (!payForXPath(evaluation, document, a.path, b.path)) return outOfSteps;
  const found = document.compare(how, a, b);
  return typeof found === 'string' ? failProcessing(found) : found;
}

/** Section A.3.15, optional. A category without content has no nodes. */
export const xpathFunctions: readonly PlainFunction[] = [
  plain(`${f3}xpath-node-count`, [xpath], one(types.integer), (evaluation: Evaluation, value: XPathValue) => {
    const document = openContent(evaluation, value.category);
    if (document instanceof Failure) return document;
    if (document === undefined) return 0n;
    if (!payForXPath(evaluation, document, value.path)) return outOfSteps;
    const found = document.select(value.path, value.namespaces);
    if (found.kind === 'nodes') return BigInt(found.nodes.length);
    return failProcessing(found.kind === 'fault' ? found.reason : 'the XPath expression does not select nodes');
  }),
  plain(`${f3}xpath-node-equal`, [xpath, xpath], boolean, (evaluation: Evaluation, a: XPathValue, b: XPathValue) =>
    compare(evaluation, 'same', a, b),
  ),
  plain(`${f3}xpath-node-match`, [xpath, xpath], boolean, (evaluation: Evaluation, a: XPathValue, b: XPathValue) =>
    compare(evaluation, 'within', a, b),
  ),
];
