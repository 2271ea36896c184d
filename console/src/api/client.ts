import type { FieldError, Problem, ProblemPlace } from './types';

/** Every failed call is one of these. `requestId` is what a person reads out when they ask for help. */
export class ApiProblem extends Error {
  readonly status: number; readonly code: string; readonly title: string; readonly detail: string | null;
  readonly errors: FieldError[]; readonly needs: string | null; readonly why: string | null; readonly policy: string | null; readonly at: ProblemPlace | null;
  readonly requestId: string | null; readonly retryAfterSeconds: number | null;
  constructor(p: Partial<Problem> & { status: number; code: string }, requestId: string | null = null, retryAfterSeconds: number | null = null) {
    super(p.detail ?? p.title ?? p.code);
    this.name = 'ApiProblem';
    this.status = p.status; this.code = p.code; this.title = p.title ?? p.code; this.detail = p.detail ?? null;
    this.errors = p.errors ?? []; this.needs = p.needs ?? null; this.why = p.why ?? null; this.policy = p.policy ?? null; this.at = p.at ?? null;
    this.requestId = requestId ?? p.instance ?? null; this.retryAfterSeconds = retryAfterSeconds;
  }
}
export const isProblem = (e: unknown, code?: string): e is ApiProblem => e instanceof ApiProblem && (!code || e.code === code);

let heard: (problem: ApiProblem) => void = () => undefined;
/** The app listens here for what concerns every page: signed out, changed meanwhile. */
export const onProblem = (listen: (problem: ApiProblem) => void) => { heard = listen; };
/** Asks the person to prove again that it is them; false when they would rather not. Nobody listens: the problem is the answer. */
let asked: (problem: ApiProblem) => Promise<boolean> = () => Promise.resolve(false);
export const onStepUp = (ask: (problem: ApiProblem) => Promise<boolean>) => { asked = ask; };
let asking: Promise<boolean> | null = null;
/** Calls that meet the same question wait for the same answer. */
const proven = (problem: ApiProblem) => (asking ??= asked(problem).finally(() => { asking = null; }));
function tell(problem: ApiProblem): ApiProblem { heard(problem); return problem; }

const BASE = '/api/v1';
export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** Builds a path with each inserted value encoded: path`/tenants/${slug}/findings/${id}` */
export const path = (parts: TemplateStringsArray, ...values: string[]) => parts.reduce((out, part, i) => out + part + (i < values.length ? encodeURIComponent(values[i]!) : ''), '');

/** The address of a call, for links that download (CSV). Empty values are left out; lists are comma separated. */
export function apiUrl(to: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) {
    if (v === undefined || v === null || v === '' || (Array.isArray(v) && v.length === 0)) continue;
    search.set(k, Array.isArray(v) ? v.join(',') : String(v));
  }
  const s = search.toString();
  return BASE + to + (s ? `?${s}` : '');
}

function retryAfter(header: string | null): number | null {
  if (!header) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

export function toProblem(status: number, text: string, header: (name: string) => string | null): ApiProblem {
  let body: Partial<Problem> = {};
  try { body = JSON.parse(text) as Partial<Problem>; } catch { body = {}; }
  return new ApiProblem({ ...body, status, code: typeof body.code === 'string' ? body.code : status === 404 ? 'not_found' : 'internal' }, header('x-request-id'), retryAfter(header('retry-after')));
}

interface Options { query?: Query; body?: unknown; version?: number | string; signal?: AbortSignal }

const ASKED = ['step_up_required', 'reauth_required'];
/** A call that needs a fresh second factor, or the password again, is made once more when the person has given it. */
async function call<T>(method: string, to: string, options: Options = {}): Promise<T> {
  try { return await once<T>(method, to, options); } catch (e) {
    if (!isProblem(e) || !ASKED.includes(e.code) || !(await proven(e))) throw e;
    return once<T>(method, to, options);
  }
}
async function once<T>(method: string, to: string, { query, body, version, signal }: Options): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (version !== undefined) headers['if-match'] = `"${version}"`;
  let response: Response;
  try {
    response = await fetch(apiUrl(to, query), { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, credentials: 'same-origin' });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new ApiProblem({ status: 0, code: 'offline' });
  }
  const text = await response.text();
  if (!response.ok) throw tell(toProblem(response.status, text, (n) => response.headers.get(n)));
  return (text ? JSON.parse(text) : undefined) as T;
}

/** `version` becomes If-Match. The type argument is what the contract answers. */
export const api = {
  get: <T>(to: string, query?: Query, signal?: AbortSignal) => call<T>('GET', to, { query, signal }),
  post: <T = void>(to: string, body: unknown = {}) => call<T>('POST', to, { body }),
  put: <T = void>(to: string, body: unknown, version?: number) => call<T>('PUT', to, { body, version }),
  patch: <T>(to: string, body: unknown, version?: number) => call<T>('PATCH', to, { body, version }),
  del: <T = void>(to: string, body?: unknown, version?: number) => call<T>('DELETE', to, { body, version }),
};

export interface Upload<T> { done: Promise<{ status: number; body: T }>; cancel: () => void }

/** Sends a file as it is. XMLHttpRequest, because fetch can't tell how much of a body has been sent. */
export function upload<T>(to: string, file: Blob, query: Query, onProgress: (sent: number, total: number) => void, type = 'application/octet-stream'): Upload<T> {
  const xhr = new XMLHttpRequest();
  const done = new Promise<{ status: number; body: T }>((resolve, reject) => {
    xhr.open('POST', apiUrl(to, query));
    xhr.setRequestHeader('content-type', type);
    xhr.setRequestHeader('accept', 'application/json');
    xhr.upload.addEventListener('progress', (e) => onProgress(e.loaded, e.lengthComputable ? e.total : file.size));
    xhr.addEventListener('error', () => reject(new ApiProblem({ status: 0, code: 'offline' })));
    xhr.addEventListener('abort', () => reject(new ApiProblem({ status: 0, code: 'cancelled' })));
    xhr.addEventListener('load', () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve({ status: xhr.status, body: JSON.parse(xhr.responseText) as T });
      else reject(tell(toProblem(xhr.status, xhr.responseText, (n) => xhr.getResponseHeader(n))));
    });
    xhr.send(file);
  });
  return { done, cancel: () => xhr.abort() };
}
