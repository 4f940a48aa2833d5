// Where the project is to be found, which package.json says once for every package.

/** The fields of package.json that say it; until the project has a public address they are not there. */
export const addressFields = ['repository', 'homepage', 'bugs'];
