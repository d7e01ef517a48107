/** How a wallet looks to the person. */
export interface Look {
  name?: string;
  icon?: string;
}

const longestIcon = 100_000; // characters

/** What may be shown of what a wallet says of itself: a short name without marks that nobody sees, and an image that is fetched from nowhere. */
export function shown(look: { name?: unknown; icon?: unknown }, fallback: string): { name: string; icon: string | undefined } {
  const { name, icon } = look;
  return {
    name: (typeof name === 'string' && name.replace(/\p{C}+/gu, '').trim().slice(0, 40)) || fallback,
    icon: typeof icon === 'string' && icon.length <= longestIcon && /^data:image\/(png|jpeg|webp|gif|svg\+xml)[;,]/.test(icon) ? icon : undefined,
  };
}
