import type { Answer, Courier } from '../../outbound/courier.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Connector, ConnectorKind, Described, Failure, SettingValues, SubjectKind } from '../connector.ts';
import { scim2Dialect } from '../scim/dialect.ts';
import { findRemotes } from '../scim/find.ts';
import { mapDialect } from '../scim/mapping.ts';
import { testConnection } from '../scim/probe.ts';
import {
  createOne,
  deniesMethod,
  judgeChanged,
  membersNotAtHand,
  readOne,
  removeOne,
  triesPutNext,
  writeName,
} from '../scim/requests.ts';
import { isObject, writeResourceBody } from '../scim/resource.ts';
import { configUrl, resourceUrl, withQuery } from '../scim/url.ts';
import { openWire } from '../scim/wire.ts';
import { writeMemberOperations, writePatch, writeUpdateObject, writeUpdateOperations } from './body.ts';
import { describeAs, habitsOf, refuseMembers, verbOf } from './by-profile.ts';
import { readRate } from './lines.ts';
import { openOutgoing } from './outgoing.ts';
import { checkScim2Settings, readProfile, readScim2Settings, scim2Settings } from './settings.ts';

/** SCIM 2.0 (RFC 7643, RFC 7644). */
export const scim2: ConnectorKind = {
  type: 'SCIM2',
  label: 'SCIM 2.0',
  settings: scim2Settings,
  mapping: mapDialect(scim2Dialect),
  checkSettings: checkScim2Settings,
  policyDefaults(values) {
    const { deprovision, groupsAsMembers, rate } = readProfile(values);
    const requestsPerSecond = readRate(rate);
    const nestedGroups = groupsAsMembers ? 'native' : 'flatten';
    return { deprovision, nestedGroups, ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }) };
  },
  open: openScim2,
};

/** How long it is remembered what a target said about itself, in milliseconds. */
const memory = 3_600_000;
/** The same when it said nothing clear, so that a moment's trouble does not decide for an hour. */
const shortMemory = 300_000;

function openScim2(values: SettingValues, outbound: Outbound): Connector {
  const settings = readScim2Settings(values);
  const { profile } = settings;
  const wire = openWire({ ...settings, mediaType: profile.mediaType, headers: profile.headers }, outbound);
  const { clock } = outbound;
  const outgoing = { user: openOutgoing(profile, 'user'), group: openOutgoing(profile, 'group') };
  const habits = { user: habitsOf(profile, profile.findUsersBy), group: habitsOf(profile, profile.findGroupsBy) };
  const withoutMembers = profile.membersInAnswers === 'excludable' ? { excludedAttributes: 'members' } : undefined;
  const descriptions = { patch: describeAs(profile, true), put: describeAs(profile, false) };
  const discovers = profile.updateUsers === 'discovered' || profile.updateGroups === 'discovered';
  let described: { patch: boolean; until: number } | undefined;
  let describing: Promise<Described | Failure> | undefined;
  let noExternalIdUntil = Number.NEGATIVE_INFINITY;

  function endpointOf(kind: SubjectKind): string {
    const endpoint = kind === 'user' ? settings.userEndpoint : settings.groupEndpoint;
    if (endpoint === undefined) throw new Error('groups are not sent by these settings: ask sends() first');
    return endpoint;
  }

  function remember(patch: boolean, forMs: number): void {
    described = { patch, until: clock.monotonic() + forMs };
  }

  function describe(courier: Courier): Promise<Described | Failure> {
    if (!discovers) return Promise.resolve(descriptions.put);
    if (described && clock.monotonic() < described.until) {
      return Promise.resolve(described.patch ? descriptions.patch : descriptions.put);
    }
    describing ??= fetchDescription(courier).finally(() => {
      describing = undefined;
    });
    return describing;
  }

  /** A target without a readable ServiceProviderConfig is taken at its least: everyone can PUT. */
  async function fetchDescription(courier: Courier): Promise<Described | Failure> {
    const heard = await wire.ask(courier, 'config', { method: 'GET', url: configUrl(settings.userEndpoint) });
    let patch = false;
    if (heard.verdict) {
      const status = heard.answer?.status ?? 0;
      if (![403, 404, 405, 406, 410, 501].includes(status)) return heard.verdict;
      remember(false, status === 404 || status === 501 ? memory : shortMemory);
    } else {
      const { body } = heard.answer;
      const offered = isObject(body) && isObject(body.patch) ? body.patch.supported : undefined;
      patch = offered === true || offered === 'true';
      remember(patch, isObject(body) ? memory : shortMemory);
    }
    return patch ? descriptions.patch : descriptions.put;
  }

  /** Whether subjects of this kind are changed by PATCH; `describe` has to have said so where it is discovered. */
  async function patches(courier: Courier, kind: SubjectKind): Promise<boolean | Failure> {
    const verb = verbOf(profile, kind);
    if (verb !== 'discovered') return verb === 'patch';
    const capability = await describe(courier);
    if (capability.outcome !== 'done') return capability;
    return described?.patch ?? false;
  }

  /**
   * 405 and 501 say that the method is not there (RFC 9110 sections 15.5.6 and 15.6.2): from here on it is PUT, unless
   * the profile is sure that it is PATCH.
   */
  function patchDenied(kind: SubjectKind, answer: Answer | undefined): Failure | undefined {
    if (!deniesMethod(answer)) return undefined;
    if (verbOf(profile, kind) !== 'discovered') {
      const line = kind === 'user' ? 'updateUsers' : 'updateGroups';
      const reason = `the target answered ${answer.status} to PATCH, and its profile says "${line}: patch"; override that line with "discovered" or "put"`;
      return { outcome: 'unavailable', scope: 'lane', reason };
    }
    remember(false, memory);
    return triesPutNext(answer);
  }

  return {
    sends: (kind) => kind === 'user' || settings.groupEndpoint !== undefined,

    takesPasswords: settings.passwordProvisioning,
    hasDefaultPassword: settings.defaultPassword !== undefined,

    writeName: (domain, name) => writeName(settings.userStoreDomain, domain, name),

    describe,

    find(courier, ask) {
      const finder = {
        wire,
        habits: habits[ask.kind],
        withoutMembers: withoutMembers ?? {},
        searchesExternalId: () => clock.monotonic() >= noExternalIdUntil,
        noteNoExternalId: () => {
          noExternalIdUntil = clock.monotonic() + memory;
        },
      };
      return findRemotes(finder, courier, endpointOf(ask.kind), ask);
    },

    read(courier, kind, remoteId) {
      const plain = resourceUrl(endpointOf(kind), remoteId);
      const url = kind === 'group' && withoutMembers ? withQuery(plain, withoutMembers) : plain;
      return readOne({ wire }, courier, url, { kind, remoteId });
    },

    async create(courier, { kind, attributes, members, password }) {
      const sent = outgoing[kind].attributes(attributes);
      const refused = outgoing[kind].refuse(sent, { whole: true }) ?? refuseMembers(profile, members, 'creation');
      if (refused) return refused;
      const body = writeResourceBody(kind, sent, members);
      const mayCarry = settings.passwordProvisioning && kind === 'user' && password !== 'none';
      const secret = mayCarry ? (password ?? settings.defaultPassword) : undefined;
      return createOne(wire, courier, endpointOf(kind), body, secret);
    },

    async update(courier, ask) {
      const { kind, remoteId, members } = ask;
      const patch = await patches(courier, kind);
      if (typeof patch === 'object') return patch;
      const set = outgoing[kind].attributes(ask.set);
      const unset = ask.unset.filter(outgoing[kind].isSent);
      const url = resourceUrl(endpointOf(kind), remoteId);
      if (!patch) {
        if (kind === 'group' && members === undefined) return membersNotAtHand;
        const attributes = outgoing[kind].attributes(ask.attributes);
        const refused = outgoing[kind].refuse(attributes, { whole: true }) ?? refuseMembers(profile, members);
        if (refused) return refused;
        const body = writeResourceBody(kind, attributes, members);
        const heard = await wire.ask(courier, 'update', { method: 'PUT', url, body });
        return heard.verdict ?? judgeChanged(heard.answer, remoteId);
      }
      const refused = outgoing[kind].refuse(set, { unset });
      if (refused) return refused;
      const operations =
        profile.patchForm === 'paths' ? writeUpdateOperations(set, unset) : writeUpdateObject(kind, set, unset);
      if (operations.length === 0) return { outcome: 'done' };
      const heard = await wire.ask(courier, 'update', { method: 'PATCH', url, body: writePatch(operations) });
      return patchDenied(kind, heard.answer) ?? heard.verdict ?? judgeChanged(heard.answer!, remoteId);
    },

    async changeMembers(courier, { remoteId, add, remove }) {
      const refused = refuseMembers(profile, add);
      if (refused) return refused;
      const operations = writeMemberOperations(add, remove, profile);
      if (operations.length === 0) return { outcome: 'done' };
      const url = resourceUrl(endpointOf('group'), remoteId);
      const heard = await wire.ask(courier, 'members', { method: 'PATCH', url, body: writePatch(operations) });
      const denied = patchDenied('group', heard.answer);
      if (denied) return denied;
      if (!heard.verdict) return judgeChanged(heard.answer, remoteId);
      // Nothing to take out: the member is not in the group, which is what was wanted (RFC 7644 section 3.5.2.2).
      const { answer } = heard;
      const noTarget = answer?.status === 400 && isObject(answer.body) && answer.body.scimType === 'noTarget';
      return noTarget && operations.length === 1 && remove.length === 1 ? { outcome: 'done' } : heard.verdict;
    },

    async changePassword(courier, { remoteId, password, attributes }) {
      if (!settings.passwordProvisioning) {
        const why = profile.passwords ? 'Enable Password Provisioning is off' : 'the target takes none by its profile';
        return { outcome: 'refused', reason: `${why}: no password is sent` };
      }
      const patch = await patches(courier, 'user');
      if (typeof patch === 'object') return patch;
      const url = resourceUrl(settings.userEndpoint, remoteId);
      const secrets = [password];
      if (!patch) {
        const sent = outgoing.user.attributes(attributes);
        const body = { ...writeResourceBody('user', sent, undefined), password: password.reveal() };
        const heard = await wire.ask(courier, 'password', { method: 'PUT', url, body, secrets });
        return heard.verdict ?? judgeChanged(heard.answer, remoteId);
      }
      const clear = password.reveal();
      const body = writePatch([
        profile.patchForm === 'paths'
          ? { op: 'replace', path: 'password', value: clear }
          : { op: 'replace', value: { password: clear } },
      ]);
      const heard = await wire.ask(courier, 'password', { method: 'PATCH', url, body, secrets });
      return patchDenied('user', heard.answer) ?? heard.verdict ?? judgeChanged(heard.answer!, remoteId);
    },

    remove: (courier, kind, remoteId) => removeOne(wire, courier, resourceUrl(endpointOf(kind), remoteId)),

    test: (courier) => {
      const { userEndpoint, groupEndpoint } = settings;
      // Without a cursor, so that the answer says how many there are.
      const little = { ...(profile.paging === 'index' ? { startIndex: '1' } : {}), count: '1', ...withoutMembers };
      return testConnection({ userEndpoint, groupEndpoint, config: configUrl(userEndpoint), little }, wire, courier);
    },
  };
}
