export function bundle(entry: string): Promise<{ now: string; later: string }>;
