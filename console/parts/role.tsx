import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { sessionQuery } from '../api/queries.ts';

/** What the server would refuse is not offered. */
export function useMay(): { operate: boolean; administer: boolean } {
  const role = useQuery(sessionQuery).data?.role;
  return { operate: role === 'administrator' || role === 'operator', administer: role === 'administrator' };
}

export function For({ need, children }: { need: 'operate' | 'administer'; children: ReactNode }) {
  return useMay()[need] ? children : null;
}
