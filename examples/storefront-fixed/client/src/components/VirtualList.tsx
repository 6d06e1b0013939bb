import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ReactNode } from 'react';

interface Props<T> {
  rows: T[];
  rowHeight: number;
  renderRow: (row: T) => ReactNode;
  rowKey: (row: T) => number;
}

export function VirtualList<T>({ rows, rowHeight, renderRow, rowKey }: Props<T>) {
  const parent = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => parent.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rowKey(rows[index]),
    overscan: 5,
  });

  return (
    <div ref={parent} style={{ height: '80vh', overflow: 'auto' }}>
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {virtualizer.getVirtualItems().map((item) => (
          <div
            key={item.key}
            style={{
              position: 'absolute',
              top: 0,
              width: '100%',
              height: item.size,
              transform: `translateY(${item.start}px)`,
            }}
          >
            {renderRow(rows[item.index])}
          </div>
        ))}
      </div>
    </div>
  );
}
