import { useEffect, useState } from 'react';

export function CountdownBadge({ until }: { until: number }) {
  const [left, setLeft] = useState(() => Math.max(0, until - Date.now()));

  useEffect(() => {
    const timer = setInterval(() => setLeft(Math.max(0, until - Date.now())), 1000);
    return () => clearInterval(timer);
  }, [until]);

  return <em>{Math.ceil(left / 1000)} s left</em>;
}
