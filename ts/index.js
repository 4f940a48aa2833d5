"use strict";
/**
 * Azure DevOps for Backstage: a drop-in `UrlReader` and `ScmIntegration` with a Rust core.
 *
 * @packageDocumentation
 */
var __createBinding = (this && this.__createBinding) || (Object.create ? (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    var desc = Object.getOwnPropertyDescriptor(m, k);
    if (!desc || ("get" in desc ? !m.__esModule : desc.writable || desc.configurable)) {
      desc = { enumerable: true, get: function() { return m[k]; } };
    }
    Object.defineProperty(o, k2, desc);
}) : (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    o[k2] = m[k];
}));
var __exportStar = (this && this.__exportStar) || function(m, exports) {
    for (var p in m) if (p !== "default" && !Object.prototype.hasOwnProperty.call(exports, p)) __createBinding(exports, m, p);
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.readAzureIntegrationConfigs = exports.readAzureIntegrationConfig = exports.DefaultAzureDevOpsCredentialsProvider = exports.getAzureFileFetchUrl = exports.getAzureDownloadUrl = exports.getAzureCommitsUrl = exports.AzureUrlReader = exports.AzureUrl = exports.AzureIntegration = exports.default = void 0;
var azureUrlReaderServiceFactory_1 = require("./azureUrlReaderServiceFactory");
Object.defineProperty(exports, "default", { enumerable: true, get: function () { return azureUrlReaderServiceFactory_1.azureUrlReaderServiceFactory; } });
__exportStar(require("./AzureDevOpsCredentialsProvider"), exports);
var AzureIntegration_1 = require("./AzureIntegration");
Object.defineProperty(exports, "AzureIntegration", { enumerable: true, get: function () { return AzureIntegration_1.AzureIntegration; } });
var AzureUrl_1 = require("./AzureUrl");
Object.defineProperty(exports, "AzureUrl", { enumerable: true, get: function () { return AzureUrl_1.AzureUrl; } });
var AzureUrlReader_1 = require("./AzureUrlReader");
Object.defineProperty(exports, "AzureUrlReader", { enumerable: true, get: function () { return AzureUrlReader_1.AzureUrlReader; } });
var core_1 = require("./core");
Object.defineProperty(exports, "getAzureCommitsUrl", { enumerable: true, get: function () { return core_1.getAzureCommitsUrl; } });
Object.defineProperty(exports, "getAzureDownloadUrl", { enumerable: true, get: function () { return core_1.getAzureDownloadUrl; } });
Object.defineProperty(exports, "getAzureFileFetchUrl", { enumerable: true, get: function () { return core_1.getAzureFileFetchUrl; } });
var DefaultAzureDevOpsCredentialsProvider_1 = require("./DefaultAzureDevOpsCredentialsProvider");
Object.defineProperty(exports, "DefaultAzureDevOpsCredentialsProvider", { enumerable: true, get: function () { return DefaultAzureDevOpsCredentialsProvider_1.DefaultAzureDevOpsCredentialsProvider; } });
var readAzureIntegrationConfig_1 = require("./readAzureIntegrationConfig");
Object.defineProperty(exports, "readAzureIntegrationConfig", { enumerable: true, get: function () { return readAzureIntegrationConfig_1.readAzureIntegrationConfig; } });
Object.defineProperty(exports, "readAzureIntegrationConfigs", { enumerable: true, get: function () { return readAzureIntegrationConfig_1.readAzureIntegrationConfigs; } });
__exportStar(require("./types"), exports);
