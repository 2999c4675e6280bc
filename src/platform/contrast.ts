import { converter, formatHex, modeLrgb, modeOklch, modeRgb, useMode, wcagContrast } from 'culori/fn'

useMode(modeRgb)
useMode(modeLrgb)
useMode(modeOklch)
const oklch = converter('oklch')

/**
 * Returns the shades of a workspace's colour, and their contrast as text on white and on dark paper (WCAG 2.2, 1.4.3
 * asks for 4.5). They match the style sheet: a shade that is too light is darkened, and lightened in dark mode.
 */
export function tonesOf(colour: string) {
  const { l, c, h = 0 } = oklch(colour) ?? { l: 0, c: 0 }
  const light = formatHex({ mode: 'oklch', l: Math.min(l, 0.48), c, h })
  const dark = formatHex({ mode: 'oklch', l: 0.79, c: Math.min(c, 0.11), h })
  return {
    light: { colour: light, contrast: round(wcagContrast(light, '#ffffff')) },
    dark: { colour: dark, contrast: round(wcagContrast(dark, '#1c1f20')) },
    /** Whether white text is readable on the colour as chosen. */
    kept: l <= 0.48,
  }
}

/** Black or white letters on a colour: whichever reads better, white where both do. */
export const inkOn = (colour: string): '#ffffff' | '#1c2124' =>
  wcagContrast('#ffffff', colour) >= 4.5 ? '#ffffff' : readable(colour)

const readable = (colour: string) =>
  wcagContrast('#ffffff', colour) >= wcagContrast('#1c2124', colour) ? '#ffffff' : '#1c2124'

/** Rounds down, so that no ratio below 4.5 is shown as 4.5. */
const round = (ratio: number) => Math.floor(ratio * 10) / 10
