/** The files of the demo's repository: catalog files that point to each other, and an API. */
export const shopFiles: Record<string, string> = {
  'catalog-info.yaml': `apiVersion: backstage.io/v1alpha1
kind: Location
metadata:
  name: shop
spec:
  targets:
    - ./org/team.yaml
    - ./services/search/catalog-info.yaml
    - ./services/cart/catalog-info.yaml
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata:
  name: shop
  description: All that sells things.
spec:
  owner: group:default/shopkeepers
`,
  'org/team.yaml': `apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: shopkeepers
  description: They keep the shop.
spec:
  type: team
  children: []
`,
  'services/search/catalog-info.yaml': `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: search
  description: Finds things.
spec:
  type: service
  lifecycle: production
  owner: group:default/shopkeepers
  system: shop
  providesApis: [search]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: search
  description: How to find things.
spec:
  type: openapi
  lifecycle: production
  owner: group:default/shopkeepers
  system: shop
  definition:
    $text: ./openapi.yaml
`,
  'services/search/openapi.yaml': `openapi: 3.1.0
info: { title: Search, version: 1.0.0 }
paths:
  /things: { get: { responses: { '200': { description: What was found. } } } }
`,
  'services/cart/catalog-info.yaml': cart('Holds what is bought.'),
  'services/payment/catalog-info.yaml': `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payment
  description: Takes money; nothing points here, so that you can register it.
spec:
  type: service
  lifecycle: experimental
  owner: group:default/shopkeepers
  system: shop
`,
};

/** What the catalog should hold when it has read the repository. */
export const expectedEntities = [
  'location:shop',
  'system:shop',
  'group:shopkeepers',
  'component:search',
  'api:search',
  'component:cart',
];

/** The catalog file of the cart, which changes in the demo. */
export function cart(description: string): string {
  return `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: cart
  description: ${description}
spec:
  type: service
  lifecycle: production
  owner: group:default/shopkeepers
  system: shop
  consumesApis: [search]
`;
}
