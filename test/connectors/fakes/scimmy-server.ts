import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

// A SCIM 2.0 target that is none of ours: scimmy reads, checks and patches, scimmy-routers serves; only the storage is
// here. A process of its own, since scimmy keeps its resource types in a global.

const require = createRequire(import.meta.url);
const express = require('express');
const SCIMMY = (await import('scimmy' as string)).default;
const SCIMMYRouters = (await import('scimmy-routers' as string)).default;

type Stored = { id: string; meta: { created: Date; lastModified: Date }; members?: { value: string }[] };
type Asked = { id?: string; filter?: { match(all: Stored[]): Stored[] } };
type Given = { userName?: string; displayName?: string };

const refuse = (status: number, scimType: string | null, detail: string): never => {
  throw new SCIMMY.Types.Error(status, scimType, detail);
};

function declare(type: unknown, key: 'userName' | 'displayName', removed: (id: string) => void) {
  const all = new Map<string, Stored>();
  SCIMMY.Resources.declare(type)
    .ingress(({ id }: Asked, data: Given) => {
      const before = id === undefined ? undefined : all.get(id);
      if (id !== undefined && !before) refuse(404, null, `There is no ${id}.`);
      const name = data[key]?.toLowerCase();
      const taken = [...all.values()].some((one) => one.id !== id && (one as Given)[key]?.toLowerCase() === name);
      if (taken) refuse(409, 'uniqueness', `${key} is taken`);
      const now = new Date();
      const meta = { created: before?.meta.created ?? now, lastModified: now };
      // What scimmy hands over is an instance of its schema; what is kept is the plain resource.
      const stored: Stored = { ...JSON.parse(JSON.stringify(data)), id: before?.id ?? randomUUID(), meta };
      all.set(stored.id, stored);
      return stored;
    })
    .egress(({ id, filter }: Asked) => {
      if (id !== undefined) return all.get(id) ?? refuse(404, null, `There is no ${id}.`);
      return filter ? filter.match([...all.values()]) : [...all.values()];
    })
    .degress(({ id }: Asked) => {
      if (!all.delete(id!)) refuse(404, null, `There is no ${id}.`);
      removed(id!);
    });
  return all;
}

const groups = declare(SCIMMY.Resources.Group, 'displayName', () => {});
declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser), 'userName', (id) => {
  for (const group of groups.values()) group.members = group.members?.filter((member) => member.value !== id) ?? [];
});

const app = express();
app.use(
  '/scim2',
  new SCIMMYRouters({
    type: 'bearer',
    handler: (request: { header(name: string): string | undefined }) => {
      if (request.header('authorization') !== 'Bearer scimmy') throw new Error('wrong token');
      return 'purvey';
    },
  }),
);
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
process.once('SIGTERM', () => process.exit(0));
