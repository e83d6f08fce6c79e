import type { XmlLimits } from '../protocol/xml/scan.ts';
import { type DecisionResult, evaluateRequest, failedResult, syntaxFailure } from './evaluate.ts';
import type { EvaluationSettings } from './evaluation.ts';
import type { PoliciesInForce } from './in-force.ts';
import { readRequest } from './read-request.ts';
import { writeResponse } from './write-response.ts';

/**
 * Answers an XACML 3.0 `<Request>` document with a `<Response>` document. Never throws: a request that cannot be read
 * is *Indeterminate* with the status syntax-error, and its message says the line and why.
 */
export function answerRequest(
  policies: PoliciesInForce,
  text: string,
  settings: EvaluationSettings,
  limits?: XmlLimits,
): { readonly response: string; readonly results: readonly DecisionResult[] } {
  const read = readRequest(text, limits);
  const results = read.ok
    ? evaluateRequest(policies, read.request, settings)
    : [failedResult(syntaxFailure(`line ${read.line}: ${read.reason}`))];
  return { response: writeResponse(results), results };
}
