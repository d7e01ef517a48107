'use client';

export { QuickExit } from './exit.js';
export type { QuickExitProps } from './exit.js';
export { SessionProvider } from './provider.js';
export type { SessionProviderProps } from './provider.js';
export { useReauthentication } from './reauthentication.js';
export type { AskAgain } from './reauthentication.js';
export { usePermission, useSession } from './session.js';
export type { UseSession, ValidSession } from './source.js';
export { SessionStatus } from './status.js';
export type { SessionStatusProps } from './status.js';
export { ExpiryWarning } from './warning.js';
export type { ExpiryWarningProps } from './warning.js';
