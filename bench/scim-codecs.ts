import { patchBodyValidation, type ScimPatch, type ScimResource, scimPatch } from 'scim-patch';
import { filter as filterPeer, parse as parsePeer } from 'scim2-parse-filter';
import { parseFilter } from '../src/protocol/scim/filter.ts';
import type { JsonObject } from '../src/protocol/scim/json.ts';
import { matchesFilter } from '../src/protocol/scim/match.ts';
import { applyPatch, readPatch } from '../src/protocol/scim/patch.ts';
import { readResource } from '../src/protocol/scim/resource.ts';
import { userType } from '../src/protocol/scim/schema.ts';
import { makeUser } from './load.ts';

/** Filters and PATCH over the packages that others use for them, in this process. */

/** What clients ask for: who is this, everybody of a kind, what changed since; and one that is long. */
const filters: readonly string[] = [
  'userName eq "ada.lovelace@acme.example"',
  'externalId eq "01a209f1-4f60-7c94-a452-10560a639c20"',
  'emails[type eq "work" and value co "@acme.example"]',
  'name.familyName sw "Love" and active eq true',
  'meta.lastModified gt "2026-05-13T04:42:34Z"',
  'title pr and userType eq "Employee" or (emails co "example.com" and not (active eq false))',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Analysis"',
  'userType eq "Employee" and (emails.type eq "work" or emails.value co "example.org") and meta.created ge "2011-05-13T04:42:34Z"',
];

const patches: readonly ScimPatch[] = [
  [{ op: 'replace', path: 'active', value: false }],
  [
    { op: 'replace', path: 'title', value: 'Principal engineer' },
    { op: 'replace', path: 'name.familyName', value: 'King' },
  ],
  [{ op: 'add', path: 'emails', value: [{ value: 'ada@home.example', type: 'home' }] }],
  [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'ada.king@acme.example' }],
  [{ op: 'remove', path: 'phoneNumbers[type eq "work"]' }],
  [{ op: 'replace', value: { displayName: 'Ada King', nickName: 'Ada', userType: 'Employee' } }],
].map((operations) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations as ScimPatch['Operations'],
}));

/** The yardstick reads a path that holds a filter, and values by path, and none of the rest of RFC 7644 section 3.10. */
const resource = readResource(userType, JSON.parse(makeUser(1).body));
const peerResource = JSON.parse(JSON.stringify({ ...resource, meta: {} })) as ScimResource;

export function compareFilters(seconds: number): { ours: number; theirs: number } {
  for (const text of filters) agree(text, matchesFilter(parseFilter(text), resource, userType), peerMatches(text));
  return race(
    seconds,
    filters.length,
    () => filters.forEach(parseFilter),
    () => filters.forEach(parsePeer),
  );
}

function peerMatches(text: string): boolean {
  return filterPeer(parsePeer(text))(resource as unknown as Record<string, unknown>);
}

export function comparePatches(seconds: number): { ours: number; theirs: number } {
  const patchOurs = (patch: ScimPatch) => applyPatch(userType, resource, readPatch(userType, patch));
  const patchTheirs = (patch: ScimPatch) => {
    patchBodyValidation(patch);
    return scimPatch(peerResource, patch.Operations, { mutateDocument: false });
  };
  for (const patch of patches) {
    const theirs = { ...patchTheirs(patch), meta: undefined } as unknown as JsonObject;
    const text = JSON.stringify(patch.Operations);
    agree(text, sorted(patchOurs(patch) as JsonObject), sorted(theirs));
  }
  return race(
    seconds,
    patches.length,
    () => patches.forEach(patchOurs),
    () => patches.forEach(patchTheirs),
  );
}

function agree(what: string, ours: unknown, theirs: unknown): void {
  if (ours !== theirs) throw new Error(`the two do not agree about ${what}:\n  ${ours}\n  ${theirs}`);
}

/** Keys in one order, without what is not there, so that equal things have equal texts. */
function sorted(value: JsonObject): string {
  return JSON.stringify(value, (_, one) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** Calls a second of each, in turns, and of each its best turn: whatever else the machine does only ever slows one down. */
function race(seconds: number, each: number, ours: () => void, theirs: () => void): { ours: number; theirs: number } {
  const turns = 10;
  const best = { ours: 0, theirs: 0 };
  for (let turn = 0; turn < turns; turn++) {
    best.ours = Math.max(best.ours, rateOf(ours) * each);
    best.theirs = Math.max(best.theirs, rateOf(theirs) * each);
  }
  return best;

  function rateOf(work: () => void): number {
    const started = performance.now();
    const until = started + (seconds * 1_000) / turns / 2;
    let rounds = 0;
    let now = started;
    while (now < until) {
      for (let n = 0; n < 50; n++) work();
      rounds += 50;
      now = performance.now();
    }
    return (rounds * 1_000) / (now - started);
  }
}
