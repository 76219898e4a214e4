// A list that comes page by page, by the server's cursor. A path that changes
// (another filter) begins anew; more() adds the next page below.
import { useEffect, useState } from 'preact/hooks';
import { get } from '../api/client.ts';
import type { Page } from '../api/types.ts';
import { useRead, type Read } from './reads.ts';

export interface Paged<T> { read: Read<Page<T> | T[]>; items: T[]; next: string | undefined; more: () => Promise<void>; reload: () => void }

export function usePaged<T>(path: string): Paged<T> {
  const read = useRead<Page<T> | T[]>(path);
  const [rest, setRest] = useState<{ of: unknown; items: T[]; next?: string | undefined }>();
  const first = read.data === undefined ? undefined : Array.isArray(read.data) ? { items: read.data } : read.data;
  useEffect(() => setRest(undefined), [path]);
  // What was added belongs to the first page it was read after, not to a newer one.
  const added = rest && rest.of === read.data ? rest : undefined;
  const next = added ? added.next : first?.next;
  return {
    read, next,
    items: [...(first?.items ?? []), ...(added?.items ?? [])],
    more: async () => {
      if (!next) return;
      const page = await get<Page<T>>(`${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(next)}`);
      setRest({ of: read.data, items: [...(added?.items ?? []), ...page.items], next: page.next });
    },
    reload: () => { setRest(undefined); read.reload(); },
  };
}
