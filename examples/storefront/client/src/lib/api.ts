import axios from 'axios';

export const api = axios.create({ baseURL: '/api', withCredentials: true });

export async function getJson<T>(url: string): Promise<T> {
  const { data } = await api.get<T>(url);
  return data;
}

export async function postJson<T>(url: string, body: unknown): Promise<T> {
  const { data } = await api.post<T>(url, body);
  return data;
}
