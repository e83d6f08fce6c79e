import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

// The yardstick of the inbound bench: scimmy-routers on express with users in memory, found by id and by userName
// through maps, so that the storage costs next to nothing.

const require = createRequire(import.meta.url);
const express = require('express');
const SCIMMY = (await import('scimmy' as string)).default;
const SCIMMYRouters = (await import('scimmy-routers' as string)).default;

type User = { id: string; userName: string };
const byId = new Map<string, User>();
const byName = new Map<string, User>();

type Asked = { id?: string; filter?: { userName?: string[]; username?: string[] }[] & { match?(all: User[]): User[] } };

SCIMMY.Resources.declare(SCIMMY.Resources.User)
  .ingress((_resource: Asked, data: User) => {
    const key = data.userName.toLowerCase();
    if (byName.has(key)) throw new SCIMMY.Types.Error(409, 'uniqueness', 'userName is taken');
    const now = new Date();
    const user = { ...data, id: randomUUID(), meta: { created: now, lastModified: now } };
    byId.set(user.id, user);
    byName.set(key, user);
    return user;
  })
  .egress((resource: Asked) => {
    if (resource.id) {
      const user = byId.get(resource.id);
      if (!user) throw new SCIMMY.Types.Error(404, null, 'not found');
      return user;
    }
    const [operator, value] = resource.filter?.[0]?.userName ?? resource.filter?.[0]?.username ?? [];
    if (operator === 'eq' && value !== undefined) {
      const user = byName.get(value.toLowerCase());
      return user ? [user] : [];
    }
    const all = [...byId.values()];
    return resource.filter?.match ? resource.filter.match(all) : all;
  })
  .degress(() => {});

const app = express();
app.use(
  '/scim2',
  new SCIMMYRouters({
    type: 'bearer',
    handler: (request: { header(name: string): string | undefined }) => {
      if (request.header('authorization') !== 'Bearer bench') throw new Error('wrong token');
      return 'bench';
    },
  }),
);
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
process.once('SIGTERM', () => process.exit(0));
