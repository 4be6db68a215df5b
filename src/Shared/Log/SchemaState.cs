namespace Maplog.Log;

/// <summary>How the database's schema stands to this version of maplog.</summary>
public enum SchemaState
{
    Current,

    /// <summary>There is no log in this schema.</summary>
    Missing,

    /// <summary>Migrations are to be applied.</summary>
    Older,

    /// <summary>A later maplog has migrated it.</summary>
    Newer,
}
