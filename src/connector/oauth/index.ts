/**
 * Access tokens for systems that sign in by OAuth 2, the door `#connector/oauth`. Promises one
 * renewal at a time over all instances, that a rotating refresh token is kept before anything else
 * is done with its answer, and that a sign-in which is lost says so and how to mend it. Never shows
 * a token, and never asks the provider while the kept token is good.
 *
 *     const auth = openOAuth({ grant: "refresh", tokenUrl, clientId, clientSecret, … }, host);
 *     const http = openHttp({ baseUrl, auth, perSecond: 4 }, host);
 */
export { openOAuth } from "./oauth.ts";
export type { OAuth, OAuthOptions } from "./oauth.ts";
