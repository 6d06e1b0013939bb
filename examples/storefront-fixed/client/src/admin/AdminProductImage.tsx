import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useParams } from 'react-router-dom';
import { postForm } from '../lib/api';

export default function AdminProductImage() {
  const { id } = useParams();
  const [file, setFile] = useState<File>();
  const [preview, setPreview] = useState<string>();

  useEffect(() => {
    if (!file) return;
    const url = URL.createObjectURL(file);
    setPreview(url);
    return () => URL.revokeObjectURL(url);
  }, [file]);

  const save = useMutation({
    mutationFn: (image: File) => {
      const form = new FormData();
      form.append('image', image);
      return postForm(`/admin/products/${id}/image`, form);
    },
  });

  return (
    <main>
      <input type="file" accept="image/*" onChange={(event) => setFile(event.target.files?.[0])} />
      {preview && <img src={preview} alt="Preview" />}
      <button disabled={!file || save.isPending} onClick={() => file && save.mutate(file)}>
        Save
      </button>
    </main>
  );
}
