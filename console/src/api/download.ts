import { ApiProblem, apiUrl, toProblem } from './client';

/** Asks for a file with a body (a passphrase can't stand in an address) and hands it to the browser. Nothing is saved when it breaks off. */
export async function download(to: string, body: unknown): Promise<{ name: string; bytes: number }> {
  let response: Response;
  try { response = await fetch(apiUrl(to), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), credentials: 'same-origin' }); } catch { throw new ApiProblem({ status: 0, code: 'offline' }); }
  if (!response.ok) throw toProblem(response.status, await response.text(), (n) => response.headers.get(n));
  let file: Blob;
  try { file = await response.blob(); } catch { throw new ApiProblem({ status: 0, code: 'offline' }); }
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'download';
  const url = URL.createObjectURL(file);
  const a = document.createElement('a');
  a.href = url; a.download = name; a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return { name, bytes: file.size };
}
