import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router-dom';
import { postJson } from '../lib/api';

export function LoginPage() {
  const navigate = useNavigate();
  const [error, setError] = useState('');

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await postJson('/auth/login', Object.fromEntries(form));
      navigate('/');
    } catch {
      setError('Wrong email or password');
    }
  };

  return (
    <form onSubmit={submit}>
      <input name="email" type="email" placeholder="Email" />
      <input name="password" type="password" placeholder="Password" />
      <button>Log in</button>
      {error && <p>{error}</p>}
    </form>
  );
}
