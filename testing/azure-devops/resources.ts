/** Where the Git API's resources are, by the ids under which Microsoft's client asks for them. */
const LOCATIONS: Array<[id: string, name: string, suffix: string]> = [
  [
    'fb93c0db-47ed-4a31-8c20-47552878fb44',
    'items',
    '{repositoryId}/items/{*path}',
  ],
  [
    '630fd2e4-fb88-4f85-ad21-13f3fd1fbca9',
    'itemsBatch',
    '{repositoryId}/itemsBatch',
  ],
  [
    '7b28e929-2c99-405d-9c5c-6167a06e6816',
    'blobs',
    '{repositoryId}/blobs/{sha1}',
  ],
  [
    'c2570c3b-5b3f-41b8-98bf-5407bfde8d58',
    'commits',
    '{repositoryId}/commits/{commitId}',
  ],
  [
    '729f6437-6f92-44ec-8bee-273a7111063c',
    'trees',
    '{repositoryId}/trees/{sha1}',
  ],
  [
    '2d874a60-a811-4f62-9c9f-963a6ea0a55b',
    'refs',
    '{repositoryId}/refs/{*filter}',
  ],
  ['225f7195-f9c7-4d14-ab28-a83f7ff77e1f', 'repositories', '{repositoryId}'],
];

/** The answer to `OPTIONS _apis/git` and `OPTIONS _apis/Location`. */
export function resourceLocations(): object {
  const git = LOCATIONS.map(([id, resourceName, suffix]) =>
    location(
      id,
      'git',
      resourceName,
      `{project}/_apis/git/repositories/${suffix}`,
    ),
  );
  const areas = location(
    'e81700f7-3be2-46de-8624-2eb35882fcaa',
    'Location',
    'ResourceAreas',
    '_apis/{resource}/{areaId}',
  );
  const projects = location(
    '603fe2ac-9723-48b9-88ad-09305aa6c6e1',
    'core',
    'projects',
    '_apis/{resource}/{*projectId}',
  );
  const value = [...git, areas, projects];
  return { count: value.length, value };
}

function location(
  id: string,
  area: string,
  resourceName: string,
  routeTemplate: string,
): object {
  return {
    id,
    area,
    resourceName,
    routeTemplate,
    resourceVersion: 2,
    minVersion: '1.0',
    maxVersion: '7.2',
    releasedVersion: '7.1',
  };
}

/** The answer to `_apis/resourceAreas`: none, as a server answers, so that every area is its own. */
export function resourceAreas(): object {
  return { count: 0, value: null };
}
