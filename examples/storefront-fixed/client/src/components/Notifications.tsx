import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { io } from 'socket.io-client';

interface Notice {
  type: string;
  title?: string;
  orderId?: number;
}

interface Shown extends Notice {
  key: number;
}

export function Notifications() {
  const queryClient = useQueryClient();
  const [notices, setNotices] = useState<Shown[]>([]);

  useEffect(() => {
    let key = 0;
    const socket = io({
      reconnectionDelay: 1_000,
      reconnectionDelayMax: 30_000,
      randomizationFactor: 0.5,
      reconnectionAttempts: 20,
      timeout: 10_000,
    });
    const show = (notice: Notice) => {
      key += 1;
      const shown = { ...notice, key };
      setNotices((current) => [...current.slice(-2), shown]);
      if (notice.orderId) queryClient.invalidateQueries({ queryKey: ['orders'] });
    };
    socket.on('notification', show);
    return () => {
      socket.off('notification', show);
      socket.disconnect();
    };
  }, [queryClient]);

  return (
    <aside>
      {notices.map((notice) => (
        <p key={notice.key}>{notice.title ?? `News about order #${notice.orderId}`}</p>
      ))}
    </aside>
  );
}
