import { useState, type ChangeEvent } from 'react';
import { useParams } from 'react-router-dom';
import { api } from '../lib/api';

export function AdminProductImage() {
  const { id } = useParams();
  const [preview, setPreview] = useState('');
  const [file, setFile] = useState<File>();

  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = event.target.files?.[0];
    if (!chosen) return;
    setFile(chosen);
    const reader = new FileReader();
    reader.onload = () => setPreview(reader.result as string);
    reader.readAsDataURL(chosen);
  };

  const save = async () => {
    if (!file) return;
    const form = new FormData();
    form.append('image', file);
    await api.post(`/admin/products/${id}/image`, form);
  };

  return (
    <main>
      <input type="file" accept="image/*" onChange={choose} />
      {preview && <img src={preview} alt="Preview" />}
      <button onClick={save}>Save</button>
    </main>
  );
}
