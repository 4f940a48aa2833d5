/** An error as Azure DevOps answers it: a status, and a body with what a person needs to see. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly typeKey: string,
    message: string,
  ) {
    super(message);
  }

  /** The JSON body. */
  get body(): object {
    return {
      $id: '1',
      innerException: null,
      message: this.message,
      typeName: `Microsoft.TeamFoundation.Git.Server.${this.typeKey}, Microsoft.TeamFoundation.Git.Server`,
      typeKey: this.typeKey,
      errorCode: 0,
      eventId: 3000,
    };
  }
}
