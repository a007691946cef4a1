/** Short names for the generated shapes: the only file that knows how the API calls them. */
import type { components } from './api'

type Schemas = components['schemas']

export type User = Schemas['UserOut']
export type Profile = Schemas['Profile']
export type ProfileChange = Partial<Schemas['ProfileChange']>
export type SignInOptions = Schemas['SignInOptions']
export type JoinInfo = Schemas['JoinInfo']
export type SessionInfo = Schemas['SessionInfo']
export type UserChange = Partial<Schemas['UserChange']>
export type Invite = Schemas['InviteOut']
export type InviteMade = Schemas['InviteMade']
export type InviteRequest = Partial<Schemas['InviteRequest']>
export type Lockout = Schemas['LockoutOut']
export type Permission = Schemas['PermissionOut']
export type Quarantined = Schemas['QuarantineOut']
export type Role = Schemas['RoleOut']
export type RoleRequest = Schemas['RoleRequest']
export type Team = Schemas['TeamOut']
export type TeamRequest = Schemas['TeamRequest']
export type ApiKey = Schemas['ApiKeyOut']
export type ApiKeyMade = Schemas['ApiKeyMade']
export type ApiKeyRequest = Partial<Schemas['ApiKeyRequest']> & { name: string }
export type AuditEntry = Schemas['AuditOut']
export type AuditVerdict = Schemas['AuditVerdict']
export type Sharing = Schemas['Sharing']
export type Visibility = Sharing['visibility']
export type SignedIn = Schemas['SignedIn']
export type Source = Schemas['SourceOut']
export type FoundModel = Schemas['FoundModel']
export type RemoteModel = Schemas['RemoteModel']
export type Revision = Schemas['RevisionOut']
export type Download = Schemas['DownloadOut']
export type DownloadRequest = Partial<Schemas['DownloadRequest']> & { source: string; ref: string }
export type DownloadChange = Partial<Schemas['DownloadChange']>
export type DownloadMove = Schemas['DownloadMove']
export type Upload = Schemas['UploadOut']
export type UploadFile = Schemas['UploadedFile']
export type UploadRequest = Partial<Omit<Schemas['UploadRequest'], 'files'>> & { name: string; files: { path: string; size: number }[] }
export type FolderScan = Schemas['FoldersOut']
export type FolderModel = Schemas['FoundModelOut']
export type TransferSettings = Schemas['TransferSettings']
export type TransferSettingsNow = Schemas['TransferSettingsOut']
export type Storage = Schemas['StorageOut']
export type Garbage = Schemas['GarbageOut']
export type GarbageItem = Schemas['GarbageItem']
export type Removable = Schemas['Removable']
export type Model = Schemas['ModelOut']
export type OllamaStatus = Schemas['OllamaStatus']
export type OllamaModel = Schemas['OllamaModel']
export type OllamaLoaded = Schemas['OllamaLoaded']
export type OllamaShown = Schemas['OllamaModelShown']
export type OllamaCreate = Partial<Schemas['OllamaCreate']> & { name: string; model_id: string }
export type ModelPatch = Partial<Schemas['ModelPatch']>
export type ModelVersion = Schemas['VersionOut']
export type ModelImpact = Schemas['ImpactOut']
export type VersionDiff = Schemas['CompareOut']
export type Newer = Schemas['NewerOut']
export type Deployment = Schemas['DeploymentOut']
export type DeploymentRequest = Partial<Schemas['DeploymentRequest']> & { model_id: string; name: string }
export type LogPage = Schemas['LogPage']
export type Runtime = Schemas['RuntimeOut']
export type ChatOptions = Schemas['ChatOptions']
export type Session = Schemas['SessionOut']
export type SessionDetail = Schemas['SessionDetail']
export type Message = Schemas['MessageOut']
export type Job = Schemas['JobOut']
export type System = Schemas['SystemOut']
export type ErrorInfo = Schemas['ErrorInfo']

/** What `send` on /chat is acknowledged with: the question as kept, and the answer being written. */
export interface Exchange {
  user: Message
  assistant: Message
}

/** One page of a list; `next` goes back as `after`. */
export interface Page<T> {
  items: T[]
  next?: string | null
}

/** The envelope of every success. */
export interface Success<T> {
  success: true
  message: string
  data: T
}
