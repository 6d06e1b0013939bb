import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { getJson } from './api';
import type { Page } from './types';

/** Keyset pages of one list endpoint, joined; keeps at most 50 pages. */
export function usePages<T>(key: string, url: string, size: number) {
  const query = useInfiniteQuery({
    queryKey: [key],
    queryFn: ({ pageParam, signal }) =>
      getJson<Page<T>>(`${url}?size=${size}${pageParam ? `&before=${pageParam}` : ''}`, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next,
    getPreviousPageParam: () => null,
    maxPages: 50,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return { rows, more: query.hasNextPage && !query.isFetchingNextPage, loadMore: query.fetchNextPage };
}
