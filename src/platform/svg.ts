import { parseXml, XmlElement, type XmlNode, XmlText } from '@rgrove/parse-xml'

export interface Drawing {
  text: string
  width: number
  height: number
  /** How much was left out because it is no drawing. */
  left: number
}

/**
 * A drawing and nothing else: what is not on the list of shapes and their looks is left out, so no script, link, font,
 * image or style from elsewhere is in the result (OWASP ASVS 5.0, 5.2.4 and 1.3.4). Undefined for what is no SVG, and
 * for one that is drawn so often over itself that it would keep a browser busy.
 */
export function readDrawing(source: string): Drawing | undefined {
  const root = read(source)
  if (root?.name !== 'svg' || root.attributes.xmlns !== 'http://www.w3.org/2000/svg') return undefined
  const size = sizeOf(root.attributes)
  if (!size || drawn(root, idsOf(root)) > 5_000) return undefined

  let left = 0
  const written = (node: XmlNode, parent: string): string => {
    if (node instanceof XmlText) return texts.has(parent) ? escaped(node.text) : ''
    if (!(node instanceof XmlElement)) return ''
    const { name, children } = node
    if (!elements.has(name) || (name === 'style' && !harmless(node.text))) {
      if (!silent.test(name)) left++
      return ''
    }
    const kept = Object.entries(node.attributes).filter(([key, value]) => {
      const fine =
        looks.has(key) && (key === 'href' || key === 'xlink:href' ? /^#[\w.:-]+$/.test(value) : harmless(value))
      if (!fine && !silent.test(key)) left++
      return fine
    })
    const attributes = kept
      .map(([key, value]) => ` ${key === 'xlink:href' ? 'href' : key}="${escaped(value)}"`)
      .join('')
    return `<${name}${attributes}>${children.map(it => written(it, name)).join('')}</${name}>`
  }

  const inner = root.children.map(it => written(it, 'svg')).join('')
  if (!/<(path|rect|circle|ellipse|line|polyline|polygon|text|use)\b/.test(inner)) return undefined
  left += Object.keys(root.attributes).filter(it => /^on/i.test(it)).length
  const { x, y, width, height } = size
  const looksOfRoot = ['fill', 'stroke', 'stroke-width', 'fill-rule']
    .filter(it => root.attributes[it] && harmless(root.attributes[it]))
    .map(it => ` ${it}="${escaped(root.attributes[it] ?? '')}"`)
    .join('')
  const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${x} ${y} ${width} ${height}" width="${width}" height="${height}"${looksOfRoot}>${inner}</svg>`
  return { text, width, height, left }
}

function read(source: string): XmlElement | null {
  try {
    // A definition of the document's own, as Illustrator writes them for namespaces, stands for nothing.
    return parseXml(source, { resolveUndefinedEntity: () => '' }).root
  } catch {
    return null
  }
}

function sizeOf({ viewBox, width, height }: Record<string, string>) {
  const box = viewBox
    ?.trim()
    .split(/[\s,]+/)
    .map(Number) ?? [0, 0, Number.parseFloat(width ?? ''), Number.parseFloat(height ?? '')]
  const [x = Number.NaN, y = Number.NaN, w = Number.NaN, h = Number.NaN] = box
  const good = box.length === 4 && box.every(it => Number.isFinite(it) && Math.abs(it) < 1e6) && w > 0 && h > 0
  return good ? { x, y, width: w, height: h } : undefined
}

function idsOf(root: XmlElement): Map<string, XmlElement> {
  const ids = new Map<string, XmlElement>()
  const walk = (it: XmlElement) => {
    if (it.attributes.id) ids.set(it.attributes.id, it)
    for (const child of it.children) if (child instanceof XmlElement) walk(child)
  }
  walk(root)
  return ids
}

/** How many shapes that makes, with those that stand for others; more than the limit, or for ever, is too many. */
function drawn(root: XmlElement, ids: Map<string, XmlElement>): number {
  let count = 0
  const walk = (it: XmlElement, depth: number) => {
    count += depth > 40 ? Number.POSITIVE_INFINITY : 1
    if (count > 5_000) return
    const values = Object.entries(it.attributes)
    const named = values.flatMap(([key, value]) =>
      key.endsWith('href')
        ? [value.slice(1)]
        : [...value.matchAll(/url\(\s*['"]?#([^)'"]+)/g)].map(found => found[1] ?? ''),
    )
    for (const id of named) {
      const other = ids.get(id)
      if (other) walk(other, depth + 1)
    }
    for (const child of it.children) if (child instanceof XmlElement) walk(child, depth + 1)
  }
  walk(root, 0)
  return count
}

/** What could fetch or run something, or hide that it does: none of it may be in a value. */
const harmful = [
  // Markup and escapes.
  /[\\<>&]/,
  // At-rules and comments of CSS.
  /@|\/\*/,
  // Addresses, other than of something within the drawing.
  /url\(\s*(?!['"]?#)/i,
  /src\(|image\(|image-set/i,
  // Script.
  /javascript:|expression|binding|behaviou?r/i,
]
const harmless = (value: string) => !harmful.some(it => it.test(value))

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const elements = new Set(
  'g path rect circle ellipse line polyline polygon text tspan title desc defs linearGradient radialGradient stop clipPath mask use symbol style'.split(
    ' ',
  ),
)
const texts = new Set(['text', 'tspan', 'title', 'desc', 'style'])
const looks = new Set(
  `id class style d x y x1 y1 x2 y2 cx cy r rx ry dx dy width height points transform viewBox preserveAspectRatio pathLength
  fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit
  stroke-dasharray stroke-dashoffset opacity color display visibility clip-path clip-rule clipPathUnits mask mask-type
  maskUnits maskContentUnits paint-order vector-effect shape-rendering
  offset stop-color stop-opacity gradientUnits gradientTransform spreadMethod fx fy fr href xlink:href
  font-family font-size font-weight font-style letter-spacing word-spacing text-anchor dominant-baseline
  text-decoration textLength lengthAdjust rotate`.split(/\s+/),
)
/** What editors write about themselves is left out without a word: whole names, and beginnings of names. */
const silentNames = 'version|metadata|role|enable-background|overflow|isolation|mix-blend-mode'
const editors = 'sodipodi|inkscape|rdf|cc|dc|i|x|sketch|serif|bx|figma|title|desc'
const silent = new RegExp(`^(xmlns|xml:|data-|aria-|(${silentNames})$|(${editors}):)`)
