// I11. Providers repeat the keys that they refuse, whole or starred out, and put them into URLs.

/** A key that is announced, whatever it looks like: `API key provided: abc`, `"x-api-key": "abc"`, `?key=abc`. */
const announced =
  /((?:api[-_ ]?key|access[-_ ]?token|auth[-_ ]?token|secret(?:[-_ ]?key)?|password|authorization|[?&](?:key|token|sig))["']?\s*(?:provided\s*|is\s+)?[:=]\s*["']?(?:(?:Bearer|Basic)\s+)?)[^\s"',;&<>)\]}]+/gi;

/** Prefixes of keys: OpenAI, Anthropic, DeepSeek and others (sk-), Google, Groq, xAI, Perplexity, Hugging Face, GitHub, AWS, … */
const prefixed = [
  /\b(?:sk|pk|rk|csk|pa|xai|pplx|nvapi|sess|key)-[\w*-]{6,}/g,
  /\b(?:gsk|hf|fw|r8|tgp|xai|rpa|ghp|gho|ghu|ghs|github_pat)_[\w*-]{6,}/g,
  /\bAIza[\w-]{8,}|\bya29\.[\w.-]{8,}|\bAQ\.[\w-]{12,}/g,
  /\b(?:AKIA|ASIA|ABSK)[A-Za-z0-9+/=]{12,}/g,
  /\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}/g, // a JSON Web Token
  /\b(?:Bearer|Basic) [\w.~+/=-]{3,}/g,
  /\/\/[^\s/@:]+:[^\s/@]+@/g, // user and password in a URL
];

/** Any run as long as a key that holds a digit, a star, or both cases: names in words are not keys. */
const long = /[\w*-]{32,}/g;

/** Node repeats a header that it refuses: a key with a line break in it. */
const refusedHeader = /(Headers\.\w+: ")[\s\S]*(" is an invalid header value)/g;

/** `text` without what looks like a key, also where the key is starred out in part. */
export function maskKeys(text: string): string {
  let masked = text.replace(refusedHeader, "$1[masked]$2").replace(announced, "$1[masked]");
  for (const pattern of prefixed) masked = masked.replace(pattern, "[masked]");
  return masked.replace(long, (run) => (isRandom(run) ? "[masked]" : run));
}

function isRandom(run: string): boolean {
  return /[\d*]/.test(run) || (/[a-z]/.test(run) && /[A-Z]/.test(run));
}
