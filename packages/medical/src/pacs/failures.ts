/** Why a connection failed, in words; whether asking again can help. */
export type Failure = { readonly reason: string; readonly hint?: string; readonly again: boolean };

const trust =
  "Have the PACS's certificate authority as a PEM file and start again with NODE_EXTRA_CA_CERTS=/path/to/ca.pem; don't switch checking off.";

/** What codes of Node, OpenSSL and undici mean. */
const failures: Readonly<Record<string, Failure>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: { reason: "its TLS certificate is self-signed", hint: trust, again: false },
  SELF_SIGNED_CERT_IN_CHAIN: {
    reason: "its TLS certificate comes from an authority that this machine doesn't know",
    hint: trust,
    again: false,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    reason: "its TLS certificate comes from an authority that this machine doesn't know",
    hint: trust,
    again: false,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    reason: "its TLS certificate can't be checked: the server sends no chain to a known authority",
    hint: trust,
    again: false,
  },
  CERT_HAS_EXPIRED: {
    reason: "its TLS certificate has expired",
    hint: "The PACS's administrator has to renew it; check this machine's clock too.",
    again: false,
  },
  CERT_NOT_YET_VALID: {
    reason: "its TLS certificate isn't valid yet",
    hint: "Check this machine's clock.",
    again: false,
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: "its TLS certificate belongs to another name",
    hint: "Use the host name that stands in the certificate, not an address or an alias.",
    again: false,
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    reason: "it doesn't speak TLS on this port",
    hint: "Use http:// instead of https://, or the port that has TLS.",
    again: false,
  },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: {
    reason: "it doesn't speak TLS on this port",
    hint: "Use http:// instead of https://, or the port that has TLS.",
    again: false,
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    reason: "it wants a client certificate",
    hint: "camkit sends none: put a proxy that does in front, or use a header with a token.",
    again: false,
  },
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: {
    reason: "no TLS version or cipher in common, or it wants a client certificate",
    again: false,
  },
  ENOTFOUND: { reason: "no such host", hint: "Check the name in the URL.", again: false },
  EAI_AGAIN: { reason: "the host's name can't be looked up now", hint: "Check the network.", again: true },
  ECONNREFUSED: {
    reason: "nothing listens there",
    hint: "Is the PACS running, and is the port right?",
    again: true,
  },
  ECONNRESET: { reason: "the connection was cut", again: true },
  EPIPE: { reason: "the connection was cut", again: true },
  UND_ERR_SOCKET: { reason: "the connection was cut", again: true },
  ETIMEDOUT: { reason: "no answer to connecting", hint: "Check the address, and firewalls on the way.", again: true },
  UND_ERR_CONNECT_TIMEOUT: {
    reason: "no answer to connecting",
    hint: "Check the address, and firewalls on the way.",
    again: true,
  },
  EHOSTUNREACH: { reason: "no way to the host", hint: "Check the network.", again: true },
  ENETUNREACH: { reason: "no way to the host", hint: "Check the network.", again: true },
  UND_ERR_HEADERS_TIMEOUT: { reason: "no answer in time", again: true },
  UND_ERR_BODY_TIMEOUT: { reason: "the answer stopped in the middle", again: true },
  HPE_INVALID_CONSTANT: {
    reason: "what answers there isn't HTTP",
    hint: "Is it the DICOM port, or one with TLS (https://)?",
    again: false,
  },
};

/** Why `fetch` or a stream of it failed: the first code that is known, along the chain of causes. */
export function failureOf(error: unknown): Failure {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    // Connecting to every address of a host failed: the errors lie in a list.
    const [first] = at instanceof AggregateError ? at.errors : [];
    const failure = failures[code ?? ""] ?? failures[(first as NodeJS.ErrnoException | undefined)?.code ?? ""];
    if (failure) return failure;
    if (at.message === "terminated") return { reason: "the answer was cut in the middle", again: true };
    if (at.cause === undefined) return { reason: at.message, again: false };
  }
  return { reason: String(error), again: false };
}

/** What to do about an HTTP status that is no success. */
export const statusHints: Readonly<Record<number, string>> = {
  400: "The PACS doesn't understand the request: see what it says, and its log.",
  401: "Set CAMKIT_DICOMWEB_TOKEN, or CAMKIT_DICOMWEB_USER and CAMKIT_DICOMWEB_PASSWORD, in the environment.",
  403: "These credentials may not do this: ask the PACS's administrator.",
  404: "Check the UIDs, and the path in the URL: Orthanc has /dicom-web, dcm4chee /dcm4chee-arc/aets/<AET>/rs.",
  405: "Check the path in the URL: Orthanc has /dicom-web, dcm4chee /dcm4chee-arc/aets/<AET>/rs.",
  406: "The PACS can't give what was asked for: see which DICOMweb services it has.",
  407: "A proxy in between wants credentials.",
  411: "The PACS, or a proxy before it, wants the length of what is sent.",
  413: "Raise the limit of the proxy before the PACS (nginx: client_max_body_size).",
  415: "The PACS doesn't take DICOM files here: check the path in the URL, and that STOW-RS is switched on.",
  507: "The PACS's disk is full.",
};

/** Statuses after which the same request may succeed: PS3.18 has 503 for a busy server, 429 comes from proxies and clouds. */
export const passingStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
