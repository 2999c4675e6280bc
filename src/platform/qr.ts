import { create } from 'qrcode'

/** How many squares it is wide with its quiet zone of four, and the dark ones as the path of an SVG. */
export function qrSquares(payload: string): { size: number; path: string } {
  const { size, data } = create(payload, { errorCorrectionLevel: 'M' }).modules
  const path = Array.from(data)
    .map((dark, at) => (dark ? `M${(at % size) + 4} ${Math.floor(at / size) + 4}h1v1h-1z` : ''))
    .join('')
  return { size: size + 8, path }
}
