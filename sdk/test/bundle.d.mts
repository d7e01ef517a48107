export function bundle(entry: string, external?: (string | RegExp)[]): Promise<{ now: string; later: string; files: Map<string, string> }>;
