import type { Answer, Courier } from '../../outbound/courier.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Connector, ConnectorKind, Described, Failure, SettingValues, SubjectKind } from '../connector.ts';
import { judgeChanged, notThatResource } from '../scim/answer.ts';
import { scim2Dialect } from '../scim/dialect.ts';
import { findRemotes } from '../scim/find.ts';
import { mapDialect } from '../scim/mapping.ts';
import { describeAnswer } from '../scim/outcome.ts';
import { testConnection } from '../scim/probe.ts';
import { isObject, readRemote, readRemoteId, writeResourceBody } from '../scim/resource.ts';
import { configUrl, resourceUrl, withQuery } from '../scim/url.ts';
import { openWire } from '../scim/wire.ts';
import { writeMemberOperations, writePatch, writeUpdateOperations } from './body.ts';
import { checkScim2Settings, readScim2Settings, scim2Settings } from './settings.ts';

/** SCIM 2.0 (RFC 7643, RFC 7644). */
export const scim2: ConnectorKind = {
  type: 'SCIM2',
  label: 'SCIM 2.0',
  settings: scim2Settings,
  mapping: mapDialect(scim2Dialect),
  checkSettings: checkScim2Settings,
  open: openScim2,
};

const membersPerRequest = 100;

/** How long it is remembered what a target said about itself, in milliseconds. */
const memory = 3_600_000;
/** The same when it said nothing clear, so that a moment's trouble does not decide for an hour. */
const shortMemory = 300_000;

function openScim2(values: SettingValues, outbound: Outbound): Connector {
  const settings = readScim2Settings(values);
  const wire = openWire(settings, outbound);
  const { clock } = outbound;
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
    if (described && clock.monotonic() < described.until) {
      return Promise.resolve({ outcome: 'done', patch: described.patch, membersPerRequest });
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
    return { outcome: 'done', patch, membersPerRequest };
  }

  /** 405 and 501 say that the method is not there (RFC 9110 sections 15.5.6 and 15.6.2): from here on it is PUT. */
  function patchDenied(answer: Answer | undefined): Failure | undefined {
    if (answer?.ended !== 'answered' || (answer.status !== 405 && answer.status !== 501)) return undefined;
    remember(false, memory);
    const reason = `the target answered ${answer.status} to PATCH; the next try sends the whole resource by PUT`;
    return { outcome: 'unavailable', scope: 'account', retryAfterMs: 0, reason };
  }

  return {
    sends: (kind) => kind === 'user' || settings.groupEndpoint !== undefined,

    takesPasswords: settings.passwordProvisioning,
    hasDefaultPassword: settings.defaultPassword !== undefined,

    writeName(domain, name) {
      const there = settings.userStoreDomain ?? domain;
      return there.toUpperCase() === 'PRIMARY' ? name : `${there}/${name}`;
    },

    describe,

    find(courier, ask) {
      const finder = {
        wire,
        searchesExternalId: () => clock.monotonic() >= noExternalIdUntil,
        noteNoExternalId: () => {
          noExternalIdUntil = clock.monotonic() + memory;
        },
      };
      return findRemotes(finder, courier, endpointOf(ask.kind), ask);
    },

    async read(courier, kind, remoteId) {
      const plain = resourceUrl(endpointOf(kind), remoteId);
      const url = kind === 'group' ? withQuery(plain, { excludedAttributes: 'members' }) : plain;
      const heard = await wire.ask(courier, 'read', { method: 'GET', url });
      if (heard.verdict) return heard.verdict;
      const remote = heard.answer.status === 200 ? readRemote(kind, heard.answer.body) : undefined;
      if (remote?.remoteId === remoteId) return { outcome: 'done', remote };
      return { outcome: 'unknown', reason: notThatResource(heard.answer) };
    },

    async create(courier, { kind, attributes, members, password }) {
      const body = writeResourceBody(kind, attributes, members);
      const mayCarry = settings.passwordProvisioning && kind === 'user' && password !== 'none';
      const secret = mayCarry ? (password ?? settings.defaultPassword) : undefined;
      if (secret) body.password = secret.reveal();
      const url = endpointOf(kind);
      const heard = await wire.ask(courier, 'create', {
        method: 'POST',
        url,
        body,
        ...(secret ? { secrets: [secret] } : {}),
      });
      if (heard.verdict) return heard.verdict;
      const { answer } = heard;
      const remoteId = answer.status === 200 || answer.status === 201 ? readRemoteId(answer.body) : undefined;
      if (remoteId !== undefined) return { outcome: 'done', remoteId };
      return {
        outcome: 'unknown',
        reason: `${describeAnswer(answer, heard.asked.secrets)}, without the id of what it made`,
      };
    },

    async update(courier, { kind, remoteId, attributes, set, unset, members }) {
      const capability = await describe(courier);
      if (capability.outcome !== 'done') return capability;
      const url = resourceUrl(endpointOf(kind), remoteId);
      if (!capability.patch) {
        if (kind === 'group' && members === undefined) {
          // A PUT without members would empty the group (RFC 7644 section 3.5.1).
          const reason = 'the target does no PATCH, and the members for a PUT of the whole group were not at hand';
          return { outcome: 'unavailable', scope: 'account', retryAfterMs: 0, reason };
        }
        const body = writeResourceBody(kind, attributes, members);
        const heard = await wire.ask(courier, 'update', { method: 'PUT', url, body });
        return heard.verdict ?? judgeChanged(heard.answer, remoteId);
      }
      const operations = writeUpdateOperations(set, unset);
      if (operations.length === 0) return { outcome: 'done' };
      const heard = await wire.ask(courier, 'update', { method: 'PATCH', url, body: writePatch(operations) });
      return patchDenied(heard.answer) ?? heard.verdict ?? judgeChanged(heard.answer!, remoteId);
    },

    async changeMembers(courier, { remoteId, add, remove }) {
      const operations = writeMemberOperations(add, remove);
      if (operations.length === 0) return { outcome: 'done' };
      const url = resourceUrl(endpointOf('group'), remoteId);
      const heard = await wire.ask(courier, 'members', { method: 'PATCH', url, body: writePatch(operations) });
      const denied = patchDenied(heard.answer);
      if (denied) return denied;
      if (!heard.verdict) return judgeChanged(heard.answer, remoteId);
      // Nothing to take out: the member is not in the group, which is what was wanted (RFC 7644 section 3.5.2.2).
      const { answer } = heard;
      const noTarget = answer?.status === 400 && isObject(answer.body) && answer.body.scimType === 'noTarget';
      return noTarget && operations.length === 1 && remove.length === 1 ? { outcome: 'done' } : heard.verdict;
    },

    async changePassword(courier, { remoteId, password, attributes }) {
      if (!settings.passwordProvisioning) {
        return { outcome: 'refused', reason: 'Enable Password Provisioning is off: no password is sent' };
      }
      const capability = await describe(courier);
      if (capability.outcome !== 'done') return capability;
      const url = resourceUrl(settings.userEndpoint, remoteId);
      const secrets = [password];
      if (!capability.patch) {
        const body = { ...writeResourceBody('user', attributes, undefined), password: password.reveal() };
        const heard = await wire.ask(courier, 'password', { method: 'PUT', url, body, secrets });
        return heard.verdict ?? judgeChanged(heard.answer, remoteId);
      }
      const body = writePatch([{ op: 'replace', path: 'password', value: password.reveal() }]);
      const heard = await wire.ask(courier, 'password', { method: 'PATCH', url, body, secrets });
      return patchDenied(heard.answer) ?? heard.verdict ?? judgeChanged(heard.answer!, remoteId);
    },

    async remove(courier, kind, remoteId) {
      const url = resourceUrl(endpointOf(kind), remoteId);
      const heard = await wire.ask(courier, 'remove', { method: 'DELETE', url });
      return heard.verdict ?? judgeChanged(heard.answer);
    },

    test: (courier) => {
      const { userEndpoint, groupEndpoint } = settings;
      const little = { startIndex: '1', count: '1', excludedAttributes: 'members' };
      return testConnection({ userEndpoint, groupEndpoint, config: configUrl(userEndpoint), little }, wire, courier);
    },
  };
}
