namespace Maplog.Log;

/// <summary>What a login may do to the schema of a log.</summary>
/// <param name="User">The login's role.</param>
/// <param name="IsReadOnly">Whether the server takes no changes: a standby, or a database that is set so.</param>
/// <param name="MayCreate">Whether the role may make a schema in this database.</param>
/// <param name="Owner">A role that owns a part of the log and that the login is not a member of; null: there is none.</param>
internal sealed record SchemaRights(string User, bool IsReadOnly, bool MayCreate, string? Owner)
{
    /// <param name="doing">The work, as in "Adding source lb-1".</param>
    /// <param name="store">The log.</param>
    /// <param name="isMissing">Whether the schema has to be made first.</param>
    /// <exception cref="LogException">The work needs a right that is lacking.</exception>
    public void Require(string doing, LogStore store, bool isMissing)
    {
        if (IsReadOnly)
            throw new LogException($"{doing} failed. {store.Place} takes no changes: it is a standby, or set to read only. Name the primary in the log's ConnectionString.");
        if (Owner is not null)
            throw new LogException($"{doing} failed. The log in {store.Place}, schema '{store.Schema}', belongs to role '{Owner}', and '{User}' is not a member of that role: run the command as '{Owner}'.");
        if (isMissing && !MayCreate)
            throw new LogException($"{doing} failed. Role '{User}' may not create a schema in {store.Place}: as the owner of the database run `grant create on database ... to {User}`, or run the command as that owner.");
    }
}
