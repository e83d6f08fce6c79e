import type { XmlLimits } from '../protocol/xml/scan.ts';
import { type DecisionResult, evaluateRequest, failedResult, syntaxFailure } from './evaluate.ts';
import type { EvaluationSettings } from './evaluation.ts';
import type { PoliciesInForce } from './in-force.ts';
import { readJsonRequest } from './json/read-request.ts';
import { writeJsonResponse } from './json/write-response.ts';
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

/** As XACML writes itself: the XML of the core, or the JSON of its profile. */
export type Notation = 'xml' | 'json';

/** As `answerRequest`, in either notation and from one to the other. */
export function answerIn(
  policies: PoliciesInForce,
  text: string,
  settings: EvaluationSettings,
  notation: { readonly request: Notation; readonly answer: Notation },
): string {
  const results = notation.request === 'xml' ? answerRequest(policies, text, settings).results : decideJson();
  return notation.answer === 'xml' ? writeResponse(results) : writeJsonResponse(results);

  function decideJson(): readonly DecisionResult[] {
    const read = readJsonRequest(text);
    return read.ok ? evaluateRequest(policies, read.request, settings) : [failedResult(syntaxFailure(read.reason))];
  }
}
