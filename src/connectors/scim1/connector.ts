import type { Answer, Courier } from '../../outbound/courier.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Connector, ConnectorKind, Described, Failure, SettingValues, SubjectKind } from '../connector.ts';
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
import { isObject, type JsonObject, writeResourceBody } from '../scim/resource.ts';
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
  let describing: Promise<Described | Failure> | undefined;
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

  function describe(courier: Courier): Promise<Described | Failure> {
    if (described && clock.monotonic() < described.until) {
      return Promise.resolve({ outcome: 'done', patch: described.patch, membersPerRequest });
    }
    describing ??= fetchDescription(courier).finally(() => {
      describing = undefined;
    });
    return describing;
  }

  /** Servers without ServiceProviderConfigs are many, and do PATCH: only one that says no to it is believed. */
  async function fetchDescription(courier: Courier): Promise<Described | Failure> {
    const heard = await wire.ask(courier, 'config', { method: 'GET', url: config });
    if (heard.verdict) {
      const isMissing = [403, 404, 405, 406, 410, 501].includes(heard.answer?.status ?? 0);
      return isMissing ? remember(true) : heard.verdict;
    }
    const { body } = heard.answer;
    const offered = isObject(body) && isObject(body.patch) ? body.patch.supported : undefined;
    return remember(offered !== false && offered !== 'false');
  }

  function patch(url: string, body: JsonObject): Said {
    if (!settings.patchByPost) return { method: 'PATCH', url, body };
    return { method: 'POST', url, body, headers: { 'x-http-method-override': 'PATCH' } };
  }

  function patchDenied(answer: Answer | undefined): Failure | undefined {
    if (!deniesMethod(answer)) return undefined;
    remember(false);
    return triesPutNext(answer);
  }

  return {
    sends: (kind) => kind === 'user' || groupEndpoint !== undefined,

    takesPasswords: settings.passwordProvisioning,
    hasDefaultPassword: defaultPassword !== undefined,

    writeName: (domain, name) => writeName(settings.userStoreDomain, domain, name),

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

    read(courier, kind, remoteId) {
      const plain = resourceUrl(endpointOf(kind), remoteId);
      const url = kind === 'group' ? withQuery(plain, withoutMembers) : plain;
      return readOne({ wire, dialect: scim1Dialect }, courier, url, { kind, remoteId });
    },

    create(courier, { kind, attributes, members, password }) {
      const body = writeResourceBody(kind, attributes, members, scim1Dialect);
      const mayCarry = settings.passwordProvisioning && kind === 'user' && password !== 'none';
      return createOne(wire, courier, endpointOf(kind), body, mayCarry ? (password ?? defaultPassword) : undefined);
    },

    async update(courier, { kind, remoteId, attributes, set, unset, members }) {
      const capability = await describe(courier);
      if (capability.outcome !== 'done') return capability;
      const url = resourceUrl(endpointOf(kind), remoteId);
      if (!capability.patch) {
        if (kind === 'group' && members === undefined) return membersNotAtHand;
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

    remove: (courier, kind, remoteId) => removeOne(wire, courier, resourceUrl(endpointOf(kind), remoteId)),

    test(courier) {
      const little = { startIndex: '1', count: '1', attributes: 'externalId' };
      return testConnection({ userEndpoint, groupEndpoint, config, little }, wire, courier);
    },
  };
}
