import { apiUrl, failureOf, request, RequestFailure } from '../api/client';
import type { FeatureId } from '../api/types';

/** A photo or a document of a feature. */
export interface Attachment {
  id: string;
  name: string;
  caption?: string | null;
  type: string;
  /** In bytes. */
  size: number;
  /** Of images, in pixels as they are shown. */
  width?: number;
  height?: number;
  created: string;
}

/** What the server takes. */
export interface Limits {
  /** How many a feature can have. */
  attachments: number;
  /** How large each can be. */
  bytes: number;
  pixels: number;
  types: string[];
}

export interface AttachmentList {
  attachments: Attachment[];
  limits: Limits;
}

/** A connection over which nothing has gone for so long is as good as none. A whole photo may take longer. */
const PATIENCE_MS = 60_000;

const listPath = (collection: string, feature: FeatureId): string =>
  `collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(String(feature))}/attachments`;
const pathOf = (collection: string, feature: FeatureId, attachment: string): string =>
  `${listPath(collection, feature)}/${encodeURIComponent(attachment)}`;

export const fileUrl = (collection: string, feature: FeatureId, { id }: Attachment): string => apiUrl(pathOf(collection, feature, id));
export const previewUrl = (collection: string, feature: FeatureId, { id }: Attachment): string =>
  apiUrl(`${pathOf(collection, feature, id)}/preview`);

export const getAttachments = (collection: string, feature: FeatureId): Promise<AttachmentList> => request(listPath(collection, feature), {});

export const removeAttachment = (collection: string, feature: FeatureId, attachment: string, csrf: string | null): Promise<null> =>
  request(pathOf(collection, feature, attachment), { method: 'DELETE', headers: csrf === null ? {} : { 'x-csrf-token': csrf } });

export interface Upload {
  file: File;
  caption: string;
  csrf: string | null;
  /** Gives it up. */
  signal: AbortSignal;
  /** Hears what share of it has gone. */
  progress: (share: number) => void;
}

/** Adds a file to a feature. By XMLHttpRequest: `fetch` does not tell how much has gone. */
export function addAttachment(collection: string, feature: FeatureId, { file, caption, csrf, signal, progress }: Upload): Promise<Attachment> {
  const form = new FormData();
  // The server reads them in this order.
  if (caption) form.append('caption', caption);
  form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const stop = () => sending.abort();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(stop, PATIENCE_MS);
    };
    sending.upload.onprogress = ({ loaded, total }) => {
      wait();
      progress(total > 0 ? loaded / total : 0);
    };
    sending.onload = () => {
      const answer = new Response(sending.responseText, { status: sending.status });
      if (answer.ok) answer.json().then(resolve, () => reject(new RequestFailure('server', answer.status, null)));
      else void failureOf(answer).then(reject);
    };
    sending.onerror = sending.onabort = () => reject(new RequestFailure('unreachable', null, null));
    sending.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    sending.open('POST', apiUrl(listPath(collection, feature)));
    sending.setRequestHeader('accept', 'application/json');
    if (csrf !== null) sending.setRequestHeader('x-csrf-token', csrf);
    signal.addEventListener('abort', stop);
    wait();
    sending.send(form);
  });
}
