import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { PasswordKeeping } from '../../directory/clear-passwords.ts';
import { readSearchParameters } from '../../protocol/scim/message.ts';
import type { Projection, Resource } from '../../protocol/scim/resource.ts';
import { locateAttribute, type ResourceType } from '../../protocol/scim/schema.ts';
import type { Caller } from '../credentials.ts';
import { type Door, isStorable } from '../door.ts';
import type { Codec } from './codec.ts';

/** What the routes of the SCIM door work with. */
export type ScimParts = {
  door: Door;
  codec: Codec;
  /** How new passwords are kept for the targets; its key seals cursors too. */
  passwords: PasswordKeeping;
  limits: ScimLimits;
  /** Where the caller reached us, without a slash at the end: what locations begin with. */
  baseUrlOf(request: FastifyRequest): string;
  callerOf(request: FastifyRequest): Caller;
};

export type ScimLimits = {
  /** Resources in one page when the client does not say. */
  defaultCount: number;
  /** Most resources in one page. */
  maxCount: number;
  /** Most operations in one bulk request. */
  bulkOperations: number;
  /** Largest bulk request in bytes. */
  bulkBytes: number;
};

/** Those of WSO2 Identity Server. */
export const defaultScimLimits: ScimLimits = {
  defaultCount: 100,
  maxCount: 200,
  bulkOperations: 1_000,
  bulkBytes: 1_048_576,
};

export function sendJson(codec: Codec, reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).header('content-type', `${codec.mediaTypes[0]}; charset=utf-8`).send(JSON.stringify(body));
}

/** One resource, with its entity tag. */
export function sendResource(
  codec: Codec,
  reply: FastifyReply,
  status: number,
  shown: { type: ResourceType; resource: Resource; version: number },
): FastifyReply {
  reply.header('etag', makeTag(shown.version));
  return sendJson(codec, reply, status, codec.writeResource(shown.type, shown.resource));
}

/** What a client is told of our own fault: where the log has the reason. */
export function describeFault(faultId: string): string {
  return `The server failed while it did this; its log has the reason under ${faultId}.`;
}

/** Throws `Problem('notFound')` for what no id can be. */
export function idOf(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  return checkId(id);
}

export function checkId(id: string): string {
  if (!isStorable(id)) throw new Problem('notFound', 'Nothing has an id with the character U+0000.');
  return id;
}

/** The query parameter `domain` (quirk domainParameter). Throws `Problem('invalidValue')` when it is given twice. */
export function domainOf(request: FastifyRequest): string | undefined {
  return readSearchParameters({ domain: (request.query as Record<string, unknown>).domain }).domain;
}

/** RFC 7643 section 3.1: a weak tag, since the same version may be written in more than one way. */
export function makeTag(version: number): string {
  return `W/"${version}"`;
}

/**
 * The versions that `If-Match` allows; `undefined` when there is no such header or it allows any (RFC 9110 section
 * 13.1.1). Tags that are none of ours are kept as impossible versions, so that they match nothing.
 */
export function readIfMatch(header: string | undefined): { ifVersion: number[] } | Record<string, never> {
  if (header === undefined || header.trim() === '*') return {};
  return { ifVersion: readTags(header) };
}

/** Whether `If-None-Match` says that the client has this version already. */
export function hasVersion(request: FastifyRequest, version: number): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  return header.trim() === '*' || readTags(header).includes(version);
}

function readTags(header: string): number[] {
  return header.split(',').map((tag) => Number(/^\s*(?:W\/)?"(\d{1,15})"\s*$/.exec(tag)?.[1] ?? -1));
}

/** Which attributes a request for one resource asks for. Throws `Problem('invalidValue')`. */
export function readProjection(codec: Codec, request: FastifyRequest): Projection {
  return codec.readProjection(request.query as Record<string, unknown>);
}

/** Whether any of an attribute will be written with this projection, so that what is costly is read only then. */
export function isWanted(type: ResourceType, name: string, { attributes, excludedAttributes }: Projection): boolean {
  const names = (path: string) => locateAttribute(type, path)?.attribute?.name === name;
  if (attributes?.length) return attributes.some(names);
  const isWhole = (path: string) => names(path) && !/\.[^:]*$/.test(path.slice(path.lastIndexOf(':') + 1));
  return !excludedAttributes?.some(isWhole);
}
