import type { Answer, Json, Scim } from './client.ts';
import { expect, expectSame, expectStatus } from './expect.ts';

export const core = 'urn:scim:schemas:core:1.0';
export const enterprise = 'urn:scim:schemas:extension:enterprise:1.0';

/** An error in the shape of SCIM 1.1: a list of descriptions with the status as text. */
export function expectErrors(answer: Answer, ...allowed: number[]): void {
  expectStatus(answer, ...allowed);
  const errors = answer.body?.Errors;
  expect(Array.isArray(errors) && errors.length > 0, 'there are no Errors');
  for (const { description, code } of errors) {
    expect(typeof description === 'string' && description.length > 8, 'an error has no description');
    expectSame(code, String(answer.status), 'the code of an error');
  }
}

/** PATCH with a part of a resource; answers the resource as it is afterwards. */
export async function patched(scim: Scim, resource: Json, part: object): Promise<Json> {
  const answer = await scim.call('PATCH', scim.at(resource), { schemas: [core], ...part });
  expectStatus(answer, 200, 204);
  return scim.read(resource);
}

export const ids = (members: Json[] | undefined): string[] => (members ?? []).map((one) => one.value).sort();
