/** A catalog file with a component. */
export function component(name: string, description: string): string {
  return `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ${name}
  description: ${description}
spec:
  type: service
  lifecycle: production
  owner: shop
`;
}

/** A catalog file that points to others. */
export function location(name: string, ...targets: string[]): string {
  return `apiVersion: backstage.io/v1alpha1
kind: Location
metadata:
  name: ${name}
spec:
  targets:
${targets.map(target => `    - ${target}`).join('\n')}
`;
}
