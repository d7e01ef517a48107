// What a page of React's needs that shows nothing of ours.
export { SessionManager } from '../src/index.js';
export { SessionProvider, usePermission, useReauthentication, useSession } from '../src/react/index.js';
