import type { RemoteMember } from '../connectors/connector.ts';
import { listMembers } from '../directory/memberships.ts';
import { readSubjects } from '../directory/subjects.ts';
import type { Store } from '../store/store.ts';
import { listOwners, readAccounts } from './accounts.ts';
import { waitsOn } from './chain.ts';
import { readDecision } from './decisions.ts';
import type { DeliverLookups } from './deliver.ts';
import { nestingOf, presentMode } from './group-modes.ts';
import { claimLinks } from './links.ts';

const membersPerPage = 5_000;

/** The walk's questions, answered from the store; each is a short read of its own, so nothing is held while a target answers. */
export function openLookups(store: Store): DeliverLookups {
  return {
    ownersOf: (targetId, kind, remoteIds) =>
      store.read((reading) => listOwners(reading, { targetId, kind }, remoteIds)),
    async marksOf(targetId, externalIds) {
      if (externalIds.length === 0) return { subjects: new Set(), accounts: [] };
      return store.read(async (reading) => {
        const subjects = new Set((await readSubjects(reading, externalIds)).keys());
        const accounts = await readAccounts(
          reading,
          [...subjects].map((subjectId) => ({ targetId, subjectId })),
        );
        return { subjects, accounts };
      });
    },
    waitsOn: (targetId, from, subjectId) => store.read((reading) => waitsOn(reading, targetId, from, subjectId)),
    async kindsOf(_, subjectIds) {
      const subjects = await store.read((reading) => readSubjects(reading, subjectIds));
      return new Map([...subjects].map(([id, subject]) => [id, subject.kind]));
    },
    decisionOf: (id) => store.read((reading) => readDecision(reading, id)),
    async listRemoteMembers(targetId, groupId) {
      // Not as it was when the group was claimed: links that were noted since by another mode are said by this as well.
      const [group] = await store.read((reading) => readAccounts(reading, [{ targetId, subjectId: groupId }]));
      const nesting = nestingOf(presentMode(group?.regime ?? null));
      const members = new Map<string, RemoteMember>();
      const groups = new Set([groupId]);
      for (const group of groups) {
        for (let after = ''; ; ) {
          const page = await store.read((reading) => listMembers(reading, group, { limit: membersPerPage, after }));
          const named = page.filter((member) => member.kind === 'user' || nesting === 'native');
          const keys = named.map((member) => ({ targetId, subjectId: member.id }));
          for (const { subject_id, kind, remote_id } of await store.read((reading) => readAccounts(reading, keys))) {
            if (remote_id !== null) members.set(subject_id, { kind, remoteId: remote_id });
          }
          // A group that is met again is not walked again.
          for (const { id, kind } of page) if (kind === 'group' && nesting === 'flatten') groups.add(id);
          if (page.length < membersPerPage) break;
          after = page.at(-1)!.id;
        }
      }
      return [...members.values()];
    },
    claimAllLinks: (claim) =>
      store.write((tx) =>
        claimLinks(
          tx,
          { targetId: claim.account.target_id, groupId: claim.account.subject_id },
          claim.attemptId,
          Number.MAX_SAFE_INTEGER,
        ),
      ),
  };
}
