import { converter, formatHex, modeLrgb, modeOklch, modeRgb, useMode, wcagContrast } from 'culori/fn'

useMode(modeRgb)
useMode(modeLrgb)
useMode(modeOklch)
const oklch = converter('oklch')

/**
 * The tones in which a workspace's colour is shown, and how well each can be read as text on white and on dark paper
 * (WCAG 2.2, 1.4.3 asks for 4.5). They are those of the style sheet: a tone that is too light is darkened, and raised
 * in the dark.
 */
export function tonesOf(colour: string) {
  const { l, c, h = 0 } = oklch(colour) ?? { l: 0, c: 0 }
  const light = formatHex({ mode: 'oklch', l: Math.min(l, 0.48), c, h })
  const dark = formatHex({ mode: 'oklch', l: 0.79, c: Math.min(c, 0.11), h })
  return {
    light: { colour: light, contrast: round(wcagContrast(light, '#ffffff')) },
    dark: { colour: dark, contrast: round(wcagContrast(dark, '#1c1f20')) },
    /** Whether white text can be read on the colour as it was chosen. */
    kept: l <= 0.48,
  }
}

/** Downwards: nothing reads as 4.5 that is not. */
const round = (ratio: number) => Math.floor(ratio * 10) / 10
