/** Drawn for two of the workspaces: a sign with the name in it, and one without. */
export const logos: Record<string, string> = {
  brightside: `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 40" width="150" height="40">
  <g fill="none" stroke="#1f5f4a" stroke-width="3" stroke-linecap="round">
    <circle cx="20" cy="20" r="7" fill="#e0a526" stroke="none"/>
    <path d="M20 5v3M20 32v3M5 20h3M32 20h3M9.4 9.4l2.1 2.1M28.5 28.5l2.1 2.1M9.4 30.6l2.1-2.1M28.5 11.5l2.1-2.1"/>
  </g>
  <text x="44" y="27" font-family="Georgia, 'Times New Roman', serif" font-size="21" fill="#1f5f4a">Brightside</text>
</svg>`,
  revive: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <rect width="32" height="32" rx="7" fill="#7a4b00"/>
  <path d="M9 23V9h8.5a5 5 0 0 1 1.2 9.8L23 23h-4.6l-3.6-4H12.6v4zm3.6-7h4.6a2 2 0 0 0 0-4h-4.6z" fill="#fff"/>
</svg>`,
}
