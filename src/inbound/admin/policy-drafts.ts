import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { FilledRows, RuleAttributes, RuleRows, TryRulesAnswer } from '../../contract/policy.ts';
import { readSubjects, type Subject } from '../../directory/subjects.ts';
import type { Attribute, ResourceTypes, Schema } from '../../protocol/scim/schema.ts';
import { tryRules } from '../../provisioning/ask-rules.ts';
import { readAccount } from '../../provisioning/inspect.ts';
import { readFields } from '../../provisioning/names.ts';
import { draftPolicies, readContent, readPoliciesInForce } from '../../provisioning/policies.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import { readTarget } from '../../provisioning/targets.ts';
import type { RuleSettings } from '../../rules/decide.ts';
import type { PoliciesInForce } from '../../rules/in-force.ts';
import { claimNames, type ProvisioningOperation } from '../../rules/provisioning-request.ts';
import { findRowFaults } from '../../rules/rows/check.ts';
import { fillRows } from '../../rules/rows/fill.ts';
import { hintAtGroups } from '../../rules/rows/groups.ts';
import { readRows } from '../../rules/rows/read.ts';
import { sayRows } from '../../rules/rows/say.ts';
import { fillTemplate } from '../../rules/templates/fill.ts';
import { type TemplateForm, templates } from '../../rules/templates/form.ts';
import { templateRows } from '../../rules/templates/rows.ts';
import type { Reading } from '../../store/store.ts';
import { type AdminParts, bodyOf } from './parts.ts';
import { showTime } from './query.ts';
import { findSubjectId } from './subjects.ts';

const operations = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
const tryFields = ['subject', 'target', 'operation', 'serviceProvider', 'at', 'draft'] as const;
const formFields = [
  'template',
  'policyId',
  'version',
  'description',
  'serviceProvider',
  'identityProvider',
  'roles',
  'claim',
  'values',
  'from',
  'to',
  'removals',
] as const satisfies readonly (keyof TemplateForm)[];

/** What makes and tries policies without saving or sending anything. */
export function addPolicyDraftRoutes(app: FastifyInstance, { store, types }: AdminParts, rules: RuleSettings): void {
  app.post('/policies/try', async (request): Promise<TryRulesAnswer> => {
    const given = readFields(bodyOf(request), 'body', tryFields);
    return store.read((reading) => answerTry(reading, given, rules));
  });

  app.get('/policy-templates', async () => ({
    items: templates.map(({ kind, title, explains, fields }) => ({ kind, title, explains, fields: [...fields] })),
  }));

  app.post('/policy-templates/fill', async (request) => {
    const form = readForm(readFields(bodyOf(request), 'body', formFields));
    return { document: fillTemplate(form), rows: templateRows(form) ?? null };
  });

  app.post('/policy-rows/fill', async (request): Promise<FilledRows> => {
    const { name, rows: given } = readFields(bodyOf(request), 'body', ['name', 'rows']);
    if (typeof name !== 'string' || name === '') {
      throw new Problem('invalidValue', 'name must be that of the policy', { field: 'name' });
    }
    const rows = readRows(given);
    const faults = findRowFaults(rows);
    if (faults.length > 0) return { says: sayRows(rows), faults, document: null, hint: null };
    const hint = hintAtGroups(rows);
    return {
      says: sayRows(rows),
      faults,
      document: fillRows(rows, name),
      hint: hint ? { says: hint.says, rows: hint.mended as RuleRows } : null,
    };
  });

  app.get('/policy-attributes', async (): Promise<RuleAttributes> => ({ items: listAttributes(types) }));
}

async function answerTry(
  reading: Reading,
  given: Record<string, unknown>,
  settings: RuleSettings,
): Promise<TryRulesAnswer> {
  const target = await readTarget(reading, readKey(given.target, 'target'));
  const subject = await findSubject(reading, readKey(given.subject, 'subject'));
  const { name: serviceProvider } = await readServiceProvider(
    reading,
    given.serviceProvider === undefined ? 'resident' : readKey(given.serviceProvider, 'serviceProvider'),
  );
  const operation = readOperation(given.operation) ?? (await operationNow(reading, target.id, subject));
  const at = readMoment(given.at) ?? reading.now;
  const { decision, action, reason, decidedBy, readsClock, trace } = await tryRules(reading, target, subject, {
    policies: await policiesToTry(reading, given.draft),
    serviceProvider,
    operation,
    at,
    settings,
  });
  return {
    operation,
    serviceProvider,
    at: showTime(at),
    decision,
    action,
    reason,
    decidedBy: decidedBy
      ? {
          policy: decidedBy.policy,
          part: decidedBy.part ?? null,
          rule: decidedBy.rule ?? null,
          says: decidedBy.says ?? null,
        }
      : null,
    readsClock,
    trace: JSON.parse(JSON.stringify(trace ?? [])),
  };
}

async function policiesToTry(reading: Reading, draft: unknown): Promise<PoliciesInForce> {
  if (draft !== undefined) {
    const { name, document, rows } = readFields(draft, 'draft', ['name', 'document', 'rows']);
    if (typeof name !== 'string') throw new Problem('invalidValue', 'draft must have a name', { field: 'draft.name' });
    return draftPolicies(reading, { name, text: readContent({ document, rows }, name).document, use: 'evaluated' });
  }
  const { inForce } = await readPoliciesInForce(reading);
  if (typeof inForce === 'string') throw new Problem('conflict', inForce);
  return inForce;
}

/** What would be sent now, as rules see it: a creation while nothing is there, a removal of who is gone, else an update. */
async function operationNow(reading: Reading, targetId: number, subject: Subject): Promise<ProvisioningOperation> {
  if (subject.life === 'gone') return 'DELETE';
  const account = await readAccount(reading, { targetId, subjectId: subject.id });
  return account?.remote_id == null ? 'POST' : 'PUT';
}

async function findSubject(reading: Reading, idOrName: string): Promise<Subject> {
  const id = await findSubjectId(reading, idOrName);
  const subject = id === undefined ? undefined : (await readSubjects(reading, [id])).get(id);
  if (!subject) throw new Problem('notFound', `there is no user or group ${idOrName}`);
  return subject;
}

function readKey(value: unknown, field: string): string {
  if ((typeof value === 'string' && value !== '') || Number.isInteger(value)) return String(value);
  throw new Problem('invalidValue', `${field} must be given, as an id or a name`, { field });
}

function readOperation(value: unknown): ProvisioningOperation | undefined {
  if (value === undefined) return undefined;
  const known = operations.find((one) => one === value);
  if (known) return known;
  throw new Problem('invalidValue', `operation must be one of ${operations.join(', ')}`, { field: 'operation' });
}

function readMoment(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const at = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new Problem('invalidValue', 'at must be a moment, such as 2026-11-25T09:30:00+01:00', { field: 'at' });
}

function readForm(given: Record<string, unknown>): TemplateForm {
  for (const [field, value] of Object.entries(given)) {
    const list = field === 'roles' || field === 'values';
    const fits = list
      ? Array.isArray(value) && value.every((one) => typeof one === 'string')
      : typeof value === 'string';
    if (!fits) throw new Problem('invalidValue', `${field} must be ${list ? 'a list of texts' : 'a text'}`, { field });
  }
  if (given.removals !== undefined && given.removals !== 'always' && given.removals !== 'as-other-operations') {
    throw new Problem('invalidValue', 'removals must be always or as-other-operations', { field: 'removals' });
  }
  return given as unknown as TemplateForm;
}

/** What a condition can name: every attribute that is text in a request, by its path, and the claims. */
function listAttributes({ user, group }: ResourceTypes): RuleAttributes['items'] {
  const found = new Map<string, string>();
  const put = (path: string, { description }: Pick<Attribute, 'description'>) => {
    if (!found.has(path)) found.set(path, description);
  };
  const isShown = ({ returned, type }: Attribute) => returned !== 'never' && type !== 'complex';
  const putSchema = ({ attributes }: Pick<Schema, 'attributes'>, prefix: string) => {
    for (const attribute of attributes) {
      const path = `${prefix}${attribute.name}`;
      if (isShown(attribute)) put(path, attribute);
      for (const sub of attribute.subAttributes ?? []) if (isShown(sub)) put(`${path}.${sub.name}`, sub);
    }
  };
  for (const { schema, extensions } of [user, group]) {
    putSchema(schema, '');
    for (const extension of extensions) putSchema(extension, `${extension.id}:`);
  }
  for (const claim of claimNames) put(claim, { description: 'A claim, as WSO2 names it' });
  return [...found].map(([path, says]) => ({ path, says }));
}
