import type { Answer } from '../../outbound/courier.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Connector, ConnectorKind, Described, Failure, SettingValues, SubjectKind } from '../connector.ts';
import { judgeChanged, notThatResource } from '../scim/answer.ts';
import { findRemotes } from '../scim/find.ts';
import { mapDialect } from '../scim/mapping.ts';
import { describeAnswer } from '../scim/outcome.ts';
import { testConnection } from '../scim/probe.ts';
import { isObject, type JsonObject, readRemote, readRemoteId, writeResourceBody } from '../scim/resource.ts';
import { configUrl, resourceUrl, withQuery } from '../scim/url.ts';
import { openWire, type Said } from '../scim/wire.ts';
import { writeMemberChange, writePartialResource } from './body.ts';
import { scim1Dialect } from './dialect.ts';
import { checkScim1Settings, readScim1Settings, scim1Settings } from './settings.ts';

/** SCIM 1.1 (draft-scim-api-01, draft-scim-core-schema-01). */
export const scim1: ConnectorKind = {
  type: 'scim',
  label: 'SCIM 1.1',
  settings: scim1Settings,
  mapping: mapDialect(scim1Dialect),
  checkSettings: checkScim1Settings,
  open: openScim1,
};

const membersPerRequest = 100;

/** How long it is remembered what a target said about itself, in milliseconds. */
const memory = 3_600_000;

/** Of a group all but its members: SCIM 1.1 has no `excludedAttributes`. */
const withoutMembers = { attributes: 'displayName,externalId' };

function openScim1(values: SettingValues, outbound: Outbound): Connector {
  const settings = readScim1Settings(values);
  const { authentication, defaultPassword, userEndpoint, groupEndpoint } = settings;
  const wire = openWire({ authentication, defaultPassword, mediaType: 'application/json' }, outbound);
  const { clock } = outbound;
  const config = configUrl(userEndpoint, 'ServiceProviderConfigs');
  let described: { patch: boolean; until: number } | undefined;
  let noExternalIdUntil = Number.NEGATIVE_INFINITY;

  function endpointOf(kind: SubjectKind): string {
    const endpoint = kind === 'user' ? userEndpoint : groupEndpoint;
    if (endpoint === undefined) throw new Error('groups are not sent by these settings: ask sends() first');
    return endpoint;
  }

  function remember(patch: boolean): Described {
    described = { patch, until: clock.monotonic() + memory };
    return { outcome: 'done', patch, membersPerRequest };
  }

  /** Servers without ServiceProviderConfigs are many, and do PATCH: only one that says no to it is believed. */
  const describe: Connector['describe'] = async (courier) => {
    if (described && clock.monotonic() < described.until) return remember(described.patch);
    const heard = await wire.ask(courier, 'config', { method: 'GET', url: config });
    if (heard.verdict) {
      const isMissing = [403, 404, 405, 406, 410, 501].includes(heard.answer?.status ?? 0);
      return isMissing ? remember(true) : heard.verdict;
    }
    const { body } = heard.answer;
    const offered = isObject(body) && isObject(body.patch) ? body.patch.supported : undefined;
    return remember(offered !== false && offered !== 'false');
  };

  function patch(url: string, body: JsonObject): Said {
    if (!settings.patchByPost) return { method: 'PATCH', url, body };
    return { method: 'POST', url, body, headers: { 'x-http-method-override': 'PATCH' } };
  }

  /** 405 and 501 say that the method is not there (RFC 9110 sections 15.5.6 and 15.6.2): from here on it is PUT. */
  function patchDenied(answer: Answer | undefined): Failure | undefined {
    if (answer?.ended !== 'answered' || (answer.status !== 405 && answer.status !== 501)) return undefined;
    remember(false);
    const reason = `the target answered ${answer.status} to PATCH; the next try sends the whole resource by PUT`;
    return { outcome: 'unavailable', scope: 'account', retryAfterMs: 0, reason };
  }

  return {
    sends: (kind) => kind === 'user' || groupEndpoint !== undefined,

    takesPasswords: settings.passwordProvisioning,
    hasDefaultPassword: defaultPassword !== undefined,

    writeName(domain, name) {
      const there = settings.userStoreDomain ?? domain;
      return there.toUpperCase() === 'PRIMARY' ? name : `${there}/${name}`;
    },

    describe,

    find(courier, ask) {
      const finder = {
        wire,
        dialect: scim1Dialect,
        withoutMembers,
        searchesExternalId: () => clock.monotonic() >= noExternalIdUntil,
        noteNoExternalId: () => {
          noExternalIdUntil = clock.monotonic() + memory;
        },
        ...(settings.quotesFilterValues ? {} : { writeFilter: (name: string, text: string) => `${name} Eq ${text}` }),
      };
      return findRemotes(finder, courier, endpointOf(ask.kind), ask);
    },

    async read(courier, kind, remoteId) {
      const plain = resourceUrl(endpointOf(kind), remoteId);
      const url = kind === 'group' ? withQuery(plain, withoutMembers) : plain;
      const heard = await wire.ask(courier, 'read', { method: 'GET', url });
      if (heard.verdict) return heard.verdict;
      const remote = heard.answer.status === 200 ? readRemote(kind, heard.answer.body, scim1Dialect) : undefined;
      if (remote?.remoteId === remoteId) return { outcome: 'done', remote };
      return { outcome: 'unknown', reason: notThatResource(heard.answer) };
    },

    async create(courier, { kind, attributes, members, password }) {
      const body = writeResourceBody(kind, attributes, members, scim1Dialect);
      const mayCarry = settings.passwordProvisioning && kind === 'user' && password !== 'none';
      const secret = mayCarry ? (password ?? defaultPassword) : undefined;
      if (secret) body.password = secret.reveal();
      const said: Said = { method: 'POST', url: endpointOf(kind), body, ...(secret ? { secrets: [secret] } : {}) };
      const heard = await wire.ask(courier, 'create', said);
      if (heard.verdict) return heard.verdict;
      const { answer, asked } = heard;
      const remoteId = answer.status === 200 || answer.status === 201 ? readRemoteId(answer.body) : undefined;
      if (remoteId !== undefined) return { outcome: 'done', remoteId };
      return { outcome: 'unknown', reason: `${describeAnswer(answer, asked.secrets)}, without the id of what it made` };
    },

    async update(courier, { kind, remoteId, attributes, set, unset, members }) {
      const capability = await describe(courier);
      if (capability.outcome !== 'done') return capability;
      const url = resourceUrl(endpointOf(kind), remoteId);
      if (!capability.patch) {
        if (kind === 'group' && members === undefined) {
          // A PUT without members would empty the group (draft-scim-api-01 section 3.3.1).
          const reason = 'the target does no PATCH, and the members for a PUT of the whole group were not at hand';
          return { outcome: 'unavailable', scope: 'account', retryAfterMs: 0, reason };
        }
        const body = writeResourceBody(kind, attributes, members, scim1Dialect);
        const heard = await wire.ask(courier, 'update', { method: 'PUT', url, body });
        return heard.verdict ?? judgeChanged(heard.answer, remoteId);
      }
      const body = writePartialResource(kind, set, unset);
      if (body === undefined) return { outcome: 'done' };
      const heard = await wire.ask(courier, 'update', patch(url, body));
      return patchDenied(heard.answer) ?? heard.verdict ?? judgeChanged(heard.answer!, remoteId);
    },

    async changeMembers(courier, { remoteId, add, remove }) {
      const body = writeMemberChange(add, remove);
      if (body === undefined) return { outcome: 'done' };
      const heard = await wire.ask(courier, 'members', patch(resourceUrl(endpointOf('group'), remoteId), body));
      return patchDenied(heard.answer) ?? heard.verdict ?? judgeChanged(heard.answer!, remoteId);
    },

    async changePassword(courier, { remoteId, password, attributes }) {
      if (!settings.passwordProvisioning) {
        return { outcome: 'refused', reason: 'Enable Password Provisioning is off: no password is sent' };
      }
      const capability = await describe(courier);
      if (capability.outcome !== 'done') return capability;
      const url = resourceUrl(userEndpoint, remoteId);
      const whole = capability.patch ? {} : attributes;
      const body = { ...writeResourceBody('user', whole, undefined, scim1Dialect), password: password.reveal() };
      const said: Said = capability.patch ? patch(url, body) : { method: 'PUT', url, body };
      const heard = await wire.ask(courier, 'password', { ...said, secrets: [password] });
      const denied = capability.patch ? patchDenied(heard.answer) : undefined;
      return denied ?? heard.verdict ?? judgeChanged(heard.answer!, remoteId);
    },

    async remove(courier, kind, remoteId) {
      const url = resourceUrl(endpointOf(kind), remoteId);
      const heard = await wire.ask(courier, 'remove', { method: 'DELETE', url });
      return heard.verdict ?? judgeChanged(heard.answer);
    },

    test(courier) {
      const little = { startIndex: '1', count: '1', attributes: 'externalId' };
      return testConnection({ userEndpoint, groupEndpoint, config, little }, wire, courier);
    },
  };
}
