import { useEffect, useState } from 'react';
import { io } from 'socket.io-client';

interface Notice {
  type: string;
  title?: string;
  orderId?: number;
}

export function Notifications() {
  const [notices, setNotices] = useState<Notice[]>([]);

  useEffect(() => {
    const socket = io();
    socket.on('notification', (notice: Notice) => {
      setNotices((current) => [...current, notice]);
    });
  }, []);

  return (
    <aside>
      {notices.slice(-3).map((notice, index) => (
        <p key={index}>{notice.title ?? `Order #${notice.orderId} was paid`}</p>
      ))}
    </aside>
  );
}
