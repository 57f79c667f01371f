/**
 * The texts whose contrast is below 4.5:1 (WCAG 2.2, 1.4.3), each with its ratio; none
 * of disabled controls. Runs in a page, so it may use nothing of this module.
 */
export function findLowContrast (): string[] {
  const found: string[] = []
  for (const element of document.body.querySelectorAll('*')) {
    if (!showsText(element) || element.matches(':disabled')) continue
    const ratio = contrast(getComputedStyle(element).color, backgroundOf(element))
    if (ratio < 4.5) found.push(`${element.id || element.tagName} ${ratio.toFixed(2)}:1`)
  }
  return found

  function showsText (element: Element): boolean {
    const hasText = Array.from(element.childNodes).some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '')
    return (hasText || element.matches('input')) && element.getClientRects().length > 0
  }

  function backgroundOf (element: Element | null): string {
    if (element === null) return 'rgb(255, 255, 255)'
    const { backgroundColor } = getComputedStyle(element)
    return backgroundColor === 'rgba(0, 0, 0, 0)'
      ? backgroundOf(element.parentElement)
      : backgroundColor
  }

  function contrast (one: string, other: string): number {
    const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
    return (light + 0.05) / (dark + 0.05)
  }

  function luminance (color: string): number {
    const channels = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map((channel) => {
      const value = Number(channel) / 255
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    const [red = 0, green = 0, blue = 0] = channels
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
}
